/* SPDX-License-Identifier: MIT */
/*
 * Joining and leaving: does an open ever end in a mailbox that is removed under
 * it, do two users of a name ever have two mailboxes, does a name go on leading
 * to a removed one, and are the users of a destroyed one told?
 *
 * Mirrors, a step of the model for each access to a shared word or the
 * directory:
 *
 *	src/shm/recover.c      ferryi_member_add, ferryi_member_drop,
 *	                       ferryi_member_count, ferryi_join, remove_at,
 *	                       ferryi_retire_if_unused, ferryi_retire
 *	src/realm/segment.c    create_locked, publish, open_locked, is_abandoned,
 *	                       become_member, leave
 *	src/realm/repair.c     ferryi_repair, repair_object, was_member,
 *	                       ferryi_realm_unlink
 *	src/link/mailbox_open.c ferry_destroy
 *
 * Processes open or create the one name, use the mailbox, and leave; one that
 * STAYS does not, and with DESTROY the first destroys it.  Each may be killed
 * between any two steps, as may the repairer, which stands for whoever looks.
 * Each member bit lies in a word of its own, so they are counted one by one.
 * When all is over, a fresh process opens or creates the name once more.
 *
 * How it is written: see the traps named in transfer.pml.
 */
#ifndef PROCESSES
#define PROCESSES 3
#endif
#ifndef KILLS
#define KILLS 2
#endif
#ifndef DESTROY
#define DESTROY 0
#endif
#define FRESH	 PROCESSES
#define REPAIRER (PROCESSES + 1)
#define ALL	 (PROCESSES + 2)
#define SEGMENTS 7

byte name; /* segment + 1, or 0 */
byte names; /* NAMES: who holds the lock, + 1 */
byte n_segments;
byte joins[SEGMENTS];
bool removed[SEGMENTS]; /* FERRYI_REMOVED in `state` */
bool member[SEGMENTS * ALL];

byte kills = KILLS;
bool over[ALL]; /* it has left, died, or stays */
bool dead[ALL], repaired[ALL];
byte in[ALL]; /* segment + 1 that an open has returned */
bool destroyed;

#define MEMBER(v, p) member[(v) * ALL + (p)]
#define ODD(j)	     ((j) % 2 == 1)

#define KILL                                                                   \
	:: atomic {                                                            \
		kills > 0;                                                     \
		kills--;                                                       \
		dead[me] = true;                                               \
		in[me] = 0;                                                    \
		names = (names == me + 1 -> 0 : names); /* the kernel */       \
		goto gone                                                      \
	}

/* nobody alive uses it, as far as its open has returned */
#define UNUSED(v)                                                              \
	(in[0] != v + 1 && in[1] != v + 1 && in[2] != v + 1 && in[3] != v + 1)

/* ferryi_retire_if_unused, remove_at: ok says whether it is removed */
inline retire_if_unused(v)
{
#ifdef BREAK_JOINS /* `joins` is read after the members were counted */
	ok = false;
	i = 0;
	j = 0;
#else
	if KILL
	:: atomic { j = joins[v]; ok = false; i = 0 }
	fi;
#endif
	do
	:: i < FRESH + 1 && !ODD(j) ->
		if KILL
		:: atomic { ok = ok || MEMBER(v, i); i++ }
		fi
	:: else -> break
	od;
#ifdef BREAK_JOINS
	if KILL
	:: atomic { j = joins[v] }
	fi;
#endif
	atomic { ok = (ODD(j) || !ok); i = 0 };
	if
	:: ok && !ODD(j) ->
		if KILL
		:: atomic {
			ok = (joins[v] == j);
			if
			:: ok -> joins[v]++; assert(UNUSED(v))
			:: else
			fi
		}
		fi
	:: else
	fi;
	j = 0;
	/* J2: removed, but its users are not told */
	if
	:: ok ->
		if KILL
		:: atomic { removed[v] = true }
		fi
	:: else
	fi
}

/* ferryi_realm_unlink: lock, compare, unlink, drop */
inline unlink(v)
{
#ifndef BREAK_NAMES /* without the lock */
	if KILL
	:: atomic { names == 0 -> names = me + 1 }
	fi;
#endif
	if KILL
	:: atomic { same = (name == v + 1) }
	fi;
	if
	:: same ->
		same = false;
		if KILL
		:: atomic { name = 0 }
		fi
	:: else
	fi;
	if KILL
	:: atomic { names = 0 }
	fi
}

proctype process(byte me; bool stays)
{
	byte v, i, j;
	bool ok, same;

open:	/* open_locked, view_by_name */
	skip;
	if KILL
	:: atomic { name == 0 -> goto create }
	:: atomic { name != 0 -> v = name - 1 }
	fi;
	/* is_abandoned */
	retire_if_unused(v);
	if
	:: ok ->
		ok = false;
		unlink(v);
		goto open
	:: else
	fi;
	/* become_member, ferryi_member_add; J1 after it */
#ifndef BREAK_BIT /* the bit is set after the join */
	if KILL
	:: atomic { MEMBER(v, me) = true }
	fi;
#endif
	/* ferryi_join */
	if KILL
	:: atomic {
		!ODD(joins[v]);
		joins[v] = joins[v] + 2;
		goto joined
	}
	:: atomic { ODD(joins[v]) -> skip }
	fi;
	/* become_member: removed under our eyes */
	if KILL
	:: atomic { MEMBER(v, me) = false }
	fi;
#ifndef BREAK_TOLD /* the name goes, before its users are told */
	/* ferryi_retire */
	if KILL
	:: atomic { removed[v] = true }
	fi;
#endif
	unlink(v);
	goto open;
create:	/* publish: a whole segment with us in it; C2; then its name */
	skip;
	if KILL
	:: atomic { name != 0 -> goto open }
	:: atomic {
		name == 0;
		assert(n_segments < SEGMENTS);
		v = n_segments;
		n_segments++;
		joins[v] = 2;
		MEMBER(v, me) = true;
		name = v + 1;
		goto joined
	}
	fi;
joined:
#ifdef BREAK_BIT
	if KILL
	:: atomic { MEMBER(v, me) = true }
	fi;
#endif
	atomic {
		in[me] = v + 1;
		/* whoever else has it open has the same one */
		assert(destroyed || in[0] == 0 || in[0] == v + 1);
		assert(destroyed || in[1] == 0 || in[1] == v + 1);
		assert(destroyed || in[2] == 0 || in[2] == v + 1);
		assert(destroyed || in[3] == 0 || in[3] == v + 1);
		assert(destroyed || !ODD(joins[v]))
	};
	if
	:: DESTROY && me == 0 ->
		/* ferry_destroy: ferryi_retire; J2, D2 */
		if KILL
		:: atomic {
			destroyed = true;
			joins[v] = joins[v] + (ODD(joins[v]) -> 0 : 1)
		}
		fi;
		if KILL
		:: atomic { removed[v] = true }
		fi;
		unlink(v)
	:: else
	fi;
	if
	:: stays ->
		atomic { v = 0; over[me] = true };
end:		if KILL
		fi
	:: else
	fi;
	/* leave: ferryi_member_drop; J4 */
	if KILL
	:: atomic { MEMBER(v, me) = false; in[me] = 0 }
	fi;
	retire_if_unused(v);
	if
	:: ok -> unlink(v)
	:: else
	fi;
gone:	atomic {
		v = 0; i = 0; j = 0; ok = false; same = false;
		over[me] = true
	}
}

#define UNREPAIRED(p) (dead[p] && !repaired[p])

/* ferryi_repair, by whoever looks; killed, the next one begins again. */
proctype repairer()
{
	byte me = REPAIRER, v, i, j, p;
	bool ok, same;

gone:	atomic {
		dead[me] = false;
		v = 0; i = 0; j = 0; p = 0; ok = false; same = false
	};
end:	atomic {
		UNREPAIRED(0) || UNREPAIRED(1) || UNREPAIRED(2);
		do
		:: !UNREPAIRED(p) -> p++
		:: else -> break
		od
	};
	/* ferryi_each_name, repair_object: open it */
	if KILL
	:: atomic { name == 0 -> goto free }
	:: atomic { name != 0 -> v = name - 1 }
	fi;
	/* was_member */
	if KILL
	:: atomic { !MEMBER(v, p) -> goto free }
	:: atomic { MEMBER(v, p) -> skip }
	fi;
	/* V2: recovered, still a member: ferryi_member_drop */
	if KILL
	:: atomic { MEMBER(v, p) = false }
	fi;
	retire_if_unused(v);
	if
	:: ok -> ok = false; unlink(v)
	:: else
	fi;
free:	/* V3: every mailbox is repaired: the slot is free */
	skip;
	if KILL
	:: atomic { repaired[p] = true; goto gone }
	fi
}

#define OVER(p) (over[p] && (!dead[p] || repaired[p]))
#define TOLD(p) (in[p] == 0 || !ODD(joins[in[p] - 1]) || removed[in[p] - 1])

init {
	atomic {
		run process(0, false);
		run process(1, false);
		run process(2, true);
		run repairer()
	};
	atomic {
		OVER(0) && OVER(1) && OVER(2);
		kills = 0;
		assert(TOLD(0) && TOLD(1) && TOLD(2));
		run process(FRESH, true)
	};
	atomic {
		in[FRESH] != 0;
		assert(name == in[FRESH] && !ODD(joins[name - 1]) &&
		       !removed[name - 1])
	}
}
