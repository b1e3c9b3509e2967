/* SPDX-License-Identifier: MIT */
/*
 * Waking up: does anybody sleep for ever while there is something for it,
 * whoever is killed, between any two steps, also a sleeper that the bell has
 * woken and that has not moved `epoch` yet?
 *
 * Mirrors:
 *
 *	src/shm/watch.c          ferryi_gate_lower, ferryi_gate_raise,
 *	                         ferryi_watch
 *	src/link/mailbox.c       ferryi_mailbox_wake, interest, hand_on, woke
 *	src/link/call.c          ferryi_call_wait
 *	src/link/mailbox_recv.c  next, ferryi_mailbox_release
 *	src/link/mailbox_send.c  ferryi_mailbox_publish
 *	src/wait/wait.c          sleep_on_words, collect, next_look,
 *	                         look_after_sleep, looked_after, ferryi_wait_end
 *	src/realm/repair.c       ferryi_realm_look, look_at, ferryi_repair,
 *	                         repair_object, ring
 *	src/sys/token.c          the kernel's part: handle_futex_death()
 *
 * Two mailboxes in one realm.  There are MESSAGES in A; two workers take from A,
 * send to B and release; a consumer takes from B.  So a worker dies with a
 * message of A in its hands while B is what it used last.  The transfer itself
 * is one step here (transfer.pml has its steps); what is left of a mailbox is
 * counted.
 *
 * Time is not counted, but assumed in two places: who is killed gives its locks
 * up before the last look of a suspicion, and before the second look of a call
 * that began to sleep after the bell; a look of another counts for a sleeper who
 * has slept that long.
 *
 * Without the safety net one thing is not promised (doc/crash.md): a bell that
 * rings while nobody sleeps is heard by nobody.  Who is awake just then, in a
 * call whose two short sleeps are over, may go to sleep and miss it.  `missed`
 * says so, and excuses; BREAK_NET shows that the excuse is needed.
 *
 * How it is written: see the traps named in transfer.pml.
 */
#ifndef KILLS
#define KILLS 2
#endif
#ifndef MESSAGES
#define MESSAGES 1
#endif

#define CONSUMER 2 /* 0 and 1 are workers */
#define PROCESSES 3

#define A 0
#define B 1
byte queued[2], returned[2];
byte held[PROCESSES]; /* mailbox + 1 of the message in hand */
bool gate[2]; /* FERRYI_GATE_RECV of each: up?  0 and "since" are down */
byte epoch;
byte kills; /* none to KILLS, chosen first: nothing moves once they are used up */

/* the kernel's: who sleeps, who was woken by `death`, whose locks are held */
bool asleep[PROCESSES], belled[PROCESSES];
bool dead[PROCESSES], locked[PROCESSES], live[PROCESSES] = true;
byte repairs[PROCESSES]; /* RECOVER + i: held by process repairs[i] - 1 */

/* struct ferryi_wait */
byte looks[PROCESSES];
bool suspicious[PROCESSES];
bool calls[PROCESSES]; /* is in a call that waits */
bool looked[PROCESSES]; /* looked_after: another's look began late enough */
byte pending[PROCESSES]; /* for whom a look that goes on will be: bits */
bool missed[PROCESSES];

#define BOX(p) (p == CONSUMER -> B : A)

/* ferryi_watch: there is something to take */
#define READY(m) (queued[m] > 0 || returned[m] > 0)

/* there will be, when the dead are repaired after */
#define LEFT(m)                                                                \
	((dead[0] && held[0] == m + 1) || (dead[1] && held[1] == m + 1) ||     \
	 (dead[2] && held[2] == m + 1))
#define SOMETHING(p) (READY(BOX(p)) || LEFT(BOX(p)))

#define DYING                                                                  \
	((dead[0] && locked[0]) || (dead[1] && locked[1]) ||                   \
	 (dead[2] && locked[2]))

#define IS_DEAD(x) (live[x] && !locked[x] && repairs[x] == 0)

/* FUTEX_WAKE of a gate, for one sleeper */
#define SLEEPS_AT(p, g) (asleep[p] && BOX(p) == g)
#define WAKE_ONE(g)                                                            \
	skip;                                                                  \
	if                                                                     \
	:: SLEEPS_AT(0, g) -> asleep[0] = false                                \
	:: SLEEPS_AT(1, g) -> asleep[1] = false                                \
	:: SLEEPS_AT(2, g) -> asleep[2] = false                                \
	:: else                                                                \
	fi

#define MAY_MISS(p)                                                            \
	missed[p] = missed[p] || (calls[p] && looks[p] == 2 && !suspicious[p])

/* FUTEX_WAKE of `death`, for one sleeper of any kind */
#define RING                                                                   \
	skip;                                                                  \
	if                                                                     \
	:: asleep[0] -> asleep[0] = false; belled[0] = true                    \
	:: asleep[1] -> asleep[1] = false; belled[1] = true                    \
	:: asleep[2] -> asleep[2] = false; belled[2] = true                    \
	:: else ->                                                             \
		MAY_MISS(0); MAY_MISS(1); MAY_MISS(2)                          \
	fi

#ifdef BREAK_TOKEN /* no token: the kernel rings for nobody */
#define DEATH skip
#else
#define DEATH RING
#endif

#define KILL                                                                   \
	:: atomic {                                                            \
		kills > 0;                                                     \
		kills--;                                                       \
		dead[me] = true;                                               \
		asleep[me] = false;                                            \
		belled[me] = false;                                            \
		suspicious[me] = false;                                        \
		calls[me] = false;                                             \
		missed[me] = false;                                            \
		looks[me] = 0;                                                 \
		looked[me] = false;                                            \
		pending[me] = 0;                                               \
		DEATH;                                                         \
		goto gone                                                      \
	}

/* ferryi_mailbox_wake: W2, W3 */
inline wake(g)
{
	if KILL
	:: atomic { up = gate[g] }
	fi;
	if
	:: up ->
		up = false;
		if KILL
		:: atomic { gate[g] = false }
		fi;
		if KILL
		:: atomic { WAKE_ONE(g) }
		fi
	:: else
	fi
}

proctype process(byte me)
{
	byte seen, x;
	bool up, slept;

call:	/* ferryi_call_wait begins */
	atomic {
		looks[me] = 0;
		looked[me] = false;
		missed[me] = false;
		calls[me] = true;
		slept = false
	};
attempt: /* send or take; W1 */
	skip;
	if KILL
	:: atomic {
		READY(BOX(me));
		if
		:: returned[BOX(me)] > 0 -> returned[BOX(me)]--
		:: else -> queued[BOX(me)]--
		fi;
		held[me] = BOX(me) + 1;
		goto taken
	}
	:: atomic { !READY(BOX(me)) -> skip }
	fi;
	/* interest: load `epoch` before the words */
	if KILL
	:: atomic { seen = epoch }
	fi;
	/* interest, ferryi_gate_raise: S1 */
	if KILL
	:: atomic { gate[BOX(me)] = true }
	fi;
	/* interest, ferryi_watch: S2 */
	if KILL
	:: atomic { READY(BOX(me)) -> goto attempt }
	:: atomic { !READY(BOX(me)) -> skip }
	fi;
	/* sleep_on_words: the kernel compares every word and sleeps */
	if KILL
	:: atomic {
		slept = true;
		if
#ifdef BREAK_WORDS /* only the gate is compared, not the words */
		:: gate[BOX(me)] ->
#else
		:: gate[BOX(me)] && epoch == seen && !READY(BOX(me)) ->
#endif
			asleep[me] = true;
#ifndef BREAK_LOOKED
			looked[me] = false;
			pending[0] = pending[0] & (7 - (1 << me));
			pending[1] = pending[1] & (7 - (1 << me));
			pending[2] = pending[2] & (7 - (1 << me))
#endif
		:: else -> goto attempt
		fi
	}
	fi;
	seen = 0;
end:	if KILL
	:: atomic { !asleep[me] && !belled[me] -> goto attempt }
	:: atomic {
		/* the bell: suspicious, and looks at once */
		!asleep[me] && belled[me];
		belled[me] = false;
		suspicious[me] = true;
		goto look
	}
	:: atomic {
		/* look_after_sleep: a time-out; the second look of a call and
		 * the last one of a suspicion come when locks are given up */
		asleep[me] && (suspicious[me] || looks[me] == 0 ||
			       (looks[me] == 1 && !DYING));
		asleep[me] = false;
		if
		:: suspicious[me] -> x = PROCESSES; goto look
		:: else
		fi;
		looks[me]++;
		if
		:: looked[me] -> goto attempt
		:: else -> goto look
		fi
	}
	fi;
look:	/* ferryi_realm_look: began */
	skip;
	if KILL
	:: atomic {
#if defined(BREAK_LOOKED) /* it counts for all whose call began before */
		pending[me] = calls[0] + 2 * calls[1] + 4 * calls[2];
#elif defined(BREAK_EARLY) /* and for all who sleep, however short */
		pending[me] = asleep[0] + 2 * asleep[1] + 4 * asleep[2];
#else /* for who has slept so long that locks of before are given up */
		pending[me] = (DYING -> 0 : asleep[0] + 2 * asleep[1] + 4 * asleep[2]);
#endif
		if
		:: !DYING ->
			missed[me] = false;
			if
			:: x == PROCESSES -> suspicious[me] = false
			:: else
			fi
		:: else
		fi;
		x = 0
	}
	fi;
scan:	/* look_at: a lock that is free, of a live slot; ferryi_repair */
	skip;
	if KILL
	:: atomic {
		IS_DEAD(0) || IS_DEAD(1) || IS_DEAD(2);
		do
		:: !IS_DEAD(x) -> x++
		:: else -> break
		od;
		repairs[x] = me + 1
	}
	:: atomic {
		!(IS_DEAD(0) || IS_DEAD(1) || IS_DEAD(2));
		looked[0] = looked[0] || pending[me] % 2 == 1;
		looked[1] = looked[1] || (pending[me] / 2) % 2 == 1;
		looked[2] = looked[2] || (pending[me] / 4) % 2 == 1;
		pending[me] = 0;
		goto attempt
	}
	fi;
	/* repair_object: A, then B; V2 */
	if KILL
	:: atomic {
		skip;
		if
		:: held[x] == A + 1 -> held[x] = 0; returned[A]++
		:: else
		fi
	}
	fi;
	if KILL
	:: atomic {
		skip;
		if
		:: held[x] == B + 1 -> held[x] = 0; returned[B]++
		:: else
		fi
	}
	fi;
	/* V3: ferryi_repair: the slot is free */
	if KILL
	:: atomic { live[x] = false }
	fi;
	/* V4: ferryi_realm_ring: epoch, then all its sleepers */
#ifndef BREAK_EPOCH
	if KILL
	:: atomic { epoch++ }
	fi;
	if KILL
	:: atomic {
		asleep[0] = false;
		asleep[1] = false;
		asleep[2] = false
	}
	fi;
#endif
	if KILL
	:: atomic {
		repairs[x] = 0;
		x = 0;
		goto scan
	}
	fi;
taken:	/* ferryi_call_wait ends: woke, hand_on */
	skip;
	if
	:: slept ->
		slept = false;
		if KILL
		:: atomic { gate[BOX(me)] = true }
		fi;
		if KILL
		:: atomic { READY(BOX(me)) -> up = true }
		:: atomic { !READY(BOX(me)) -> up = false }
		fi;
		if
		:: up -> up = false; wake(BOX(me))
		:: else
		fi
	:: else
	fi;
	/* ferryi_wait_end: hand the suspicion on */
	if
	:: suspicious[me] ->
		if KILL
		:: atomic {
			suspicious[me] = false;
			RING
		}
		fi
	:: else
	fi;
	calls[me] = false;
	if
	:: me == CONSUMER -> goto release
	:: else
	fi;
	/* ferryi_mailbox_publish: W1 */
	if KILL
	:: atomic {
		queued[B]++
	}
	fi;
	wake(B);
release: /* R1: ferryi_mailbox_release */
	skip;
	if KILL
	:: atomic { held[me] = 0; goto call }
	fi;
gone:	atomic { seen = 0; x = 0; up = false; slept = false }
}

/* exit_files() after exit_mm(): the locks go after the bell. */
proctype kernel()
{
	byte x;

end:	do
	:: atomic { dead[0] && locked[0] -> x = 0; goto drop }
	:: atomic { dead[1] && locked[1] -> x = 1; goto drop }
	:: atomic {
		dead[2] && locked[2];
		x = 2;
drop:		locked[x] = false;
		if
		:: repairs[0] == x + 1 -> repairs[0] = 0
		:: else
		fi;
		if
		:: repairs[1] == x + 1 -> repairs[1] = 0
		:: else
		fi;
		if
		:: repairs[2] == x + 1 -> repairs[2] = 0
		:: else
		fi;
		x = 0
	}
	od
}

#ifdef BREAK_NET
#define FOR_EVER(p) (asleep[p] && SOMETHING(p))
#else
#define FOR_EVER(p) (asleep[p] && SOMETHING(p) && !missed[p])
#endif

init {
	atomic {
		do
		:: kills < KILLS -> kills++
		:: break
		od;
		locked[0] = true;
		locked[1] = true;
		locked[2] = true;
		run process(0);
		run process(1);
		run process(2);
		queued[A] = MESSAGES;
		run kernel()
	};
	timeout; /* nothing moves any more */
	assert(!FOR_EVER(0) && !FOR_EVER(1) && !FOR_EVER(2))
}
