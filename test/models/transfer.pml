/* SPDX-License-Identifier: MIT */
/*
 * Transfer and recovery: is every accepted message delivered, none twice
 * without the mark, and is everything free again in the end, whoever is killed
 * between any two steps?
 *
 * Mirrors, a step of the model for each access to a shared word:
 *
 *	src/shm/words.h      ferryi_word, ferryi_cell_*, ferryi_takeable,
 *	                     ferryi_returned
 *	src/shm/chunks.c     claim
 *	src/shm/queue.c      ferryi_queue_commit, try_publish, after,
 *	                     at_capacity, ferryi_queue_abandon, take_from_ring,
 *	                     try_take, try_claim, pass, ferryi_queue_release,
 *	                     ferryi_queue_requeue
 *	src/shm/returned.c   ferryi_returned_take, scan, look, settle,
 *	                     ferryi_returned_announce
 *	src/shm/recover.c    ferryi_recover_owner, recover_chunk, is_published,
 *	                     without_owner, free_cell
 *	src/shm/watch.c      may_receive, may_fill, may_loan: as the condition
 *	                     under which one who was told to wait goes on
 *
 * Every step may be the last one of who makes it, while KILLS last.  The
 * recoverer stands for whoever looks; killed, the next one begins again.  When
 * all is over a fresh receiver must find everything that was accepted, and then
 * a fresh sender must find room for CAPACITY messages; where one of them waits
 * for ever, the verifier reports an invalid end state.
 *
 * How it is written (traps of the language): a label that is jumped to out of an
 * atomic step begins with `skip`, since the jump carries the atomicity on; and
 * an `if` that begins an option of another `if` comes after a `skip`, since it
 * would become part of the outer one, `else` and all.
 *
 * One step holds two things where only the process itself sees that they are
 * two: a load and a CAS that is tried again until it holds are one step, and a
 * chunk is filled in when its position is first looked up.
 */
#ifndef RING
#define RING 2		/* cells */
#endif
#ifndef CAPACITY
#define CAPACITY 1	/* messages; below RING it is counted (at_capacity) */
#endif
#ifndef CHUNKS
#define CHUNKS 2
#endif
#ifndef SENDERS
#define SENDERS 2
#endif
#ifndef EACH
#define EACH 1		/* messages of a sender */
#endif
#ifndef RECEIVERS
#define RECEIVERS 1
#endif
#ifndef KILLS
#define KILLS 2
#endif
#ifndef REQUEUES
#define REQUEUES 1	/* taken messages that are given back */
#endif

#define FIRST_RECEIVER SENDERS
#define FRESH_RECEIVER (SENDERS + RECEIVERS)
#define FRESH_SENDER   (SENDERS + RECEIVERS + 1)
#define OWNERS	       (SENDERS + RECEIVERS + 2)
#define MESSAGES       (SENDERS * EACH + CAPACITY)

/* --- words.h ------------------------------------------------------------- */

#define FREE	 0
#define LOAN	 1
#define QUEUED	 2
#define HELD	 3
#define RETURNED 4

/* gen | state:3 | owner:3 | deliveries:2 */
#define WORD(g, s, o, d) (((((g) * 8 + (s)) * 8) + (o)) * 4 + (d))
#define GEN(w)	      ((w) / 256)
#define STATE(w)      (((w) / 32) % 8)
#define OWNER(w)      (((w) / 4) % 8)
#define DELIVERIES(w) ((w) % 4)

#ifdef BREAK_GENERATION /* a message ends, its chunk looks as before */
#define ENDED(w) WORD(GEN(w), FREE, 0, 0)
#else
#define ENDED(w) WORD(GEN(w) + 1, FREE, 0, 0)
#endif
#ifdef BREAK_MARK /* a second delivery that looks like the first */
#define AGAIN(w) WORD(GEN(w), HELD, me, 1)
#else
#define AGAIN(w) WORD(GEN(w), HELD, me, (DELIVERIES(w) < 3 -> DELIVERIES(w) + 1 : 3))
#endif

/* turn | gen:3 | full:1 | index:2 */
#define CELL_FREE(p)	    (((p) / RING) * 64)
#define CELL_FULL(p, c, g)  (((p) / RING) * 64 + ((g) % 8) * 8 + 4 + (c))
#define IS_FULL(x)	    (((x) / 4) % 2 == 1)
#define INDEX(x)	    ((x) % 4)
#define CELL_GEN(x)	    (((x) / 8) % 8)
#define LAPS(x, p)	    ((x) / 64 - (p) / RING)
#define TAKEABLE(x, w)                                                         \
	((STATE(w) == LOAN || STATE(w) == QUEUED) &&                           \
	 GEN(w) % 8 == CELL_GEN(x))

/* version | any:1 */
#define ANY(r) ((r) % 2 == 1)

short cell[RING], word[CHUNKS];
byte seq[CHUNKS], payload[CHUNKS];
byte tail, head, returned;

/* --- who lives, and what was promised -------------------------------------- */

byte kills = KILLS, requeues = REQUEUES, ended;
byte senders = SENDERS, receivers = RECEIVERS; /* that have not ended */
bool dead[OWNERS], repaired[OWNERS];
bool accepted[MESSAGES], got[MESSAGES], acked[MESSAGES];
bool fresh;

#define KILL                                                                   \
	:: atomic {                                                            \
		kills > 0;                                                     \
		kills--;                                                       \
		dead[me] = true;                                               \
		goto gone                                                      \
	}

#define CAS(at, from, to)                                                      \
	skip;                                                                  \
	if                                                                     \
	:: at == from -> at = to; done = true                                  \
	:: else -> done = false                                                \
	fi

/* a CAS of a hint, or of help for another: nobody asks whether it held */
#define TRY(at, from, to)                                                      \
	skip;                                                                  \
	if                                                                     \
	:: at == from -> at = to                                               \
	:: else                                                                \
	fi

/* may_fill: the message that is in the way of the tail has gone */
#define BACK	 cell[(tail - CAPACITY) % RING]
#define MAY_FILL                                                               \
	(tail < CAPACITY || !IS_FULL(BACK) ||                                  \
	 LAPS(BACK, tail - CAPACITY) != 0 ||                                   \
	 !TAKEABLE(BACK, word[INDEX(BACK)]))

/* may_receive */
#define MAY_RECEIVE                                                            \
	(ANY(returned) || cell[head % RING] != CELL_FREE(head))

/* may_loan */
#if CHUNKS == 2
#define MAY_LOAN (STATE(word[0]) == FREE || STATE(word[1]) == FREE)
#define ALL_FREE (STATE(word[0]) == FREE && STATE(word[1]) == FREE)
#else
#define MAY_LOAN                                                               \
	(STATE(word[0]) == FREE || STATE(word[1]) == FREE ||                   \
	 STATE(word[2]) == FREE)
#define ALL_FREE                                                               \
	(STATE(word[0]) == FREE && STATE(word[1]) == FREE &&                   \
	 STATE(word[2]) == FREE)
#endif

#define NOBODY_RECEIVES (receivers == 0 && !fresh)

/* --- sending: ferryi_mailbox_send, or loan and commit when it `keeps` -------- */

proctype sender(byte me; byte id; byte last; bool keeps)
{
	byte c, t, next, g;
	short seen;
	bool done;

claim:	/* claim (chunks.c); L1 after it */
	skip;
	if KILL
	:: atomic {
		MAY_LOAN;
		c = 0;
		do
		:: STATE(word[c]) != FREE -> c++
		:: else -> break
		od;
		g = GEN(word[c]);
		word[c] = WORD(g, LOAN, me, 0)
	}
	:: atomic { NOBODY_RECEIVES -> goto gone }
	fi;
commit:	/* fill it in; ferryi_queue_commit: load the tail */
	skip;
	if KILL
	:: atomic { payload[c] = id; t = tail }
	fi;
look:	/* try_publish: load the cell */
	skip;
	if KILL
	:: atomic {
		seen = cell[t % RING];
		if
		:: seen == CELL_FREE(t) -> goto place
		:: else
		fi;
		if
		:: LAPS(seen, t) > 0 || (LAPS(seen, t) == 0 && IS_FULL(seen)) ->
			goto behind
		:: LAPS(seen, t) == -1 && IS_FULL(seen) -> goto busy
		:: else -> assert(false) /* STRANGE: the tail was too far */
		fi
	}
	fi;
behind:	/* try_publish: the hint is old; after(), CAS of the tail */
	skip;
	if KILL
	:: atomic {
		next = t + (LAPS(seen, t) - (IS_FULL(seen) -> 0 : 1)) * RING + 1;
		TRY(tail, t, next);
		t = next;
		next = 0;
		goto look
	}
	fi;
busy:	/* try_publish, cell_takeable: load the word of the chunk there */
	skip;
	if KILL
	:: atomic { TAKEABLE(seen, word[INDEX(seen)]) -> goto is_full }
	:: atomic { !TAKEABLE(seen, word[INDEX(seen)]) -> skip }
	fi;
	/* try_publish: stale, its taker is slow or dead: CAS of the cell */
	if KILL
	:: atomic {
		TRY(cell[t % RING], seen, CELL_FREE(t));
		goto look
	}
	fi;
is_full:	/* try_publish: load the tail again */
	skip;
	if KILL
	:: atomic { tail != t -> goto look }
	:: atomic { tail == t -> goto wait }
	fi;
place:	/* at_capacity: the cell CAPACITY back, then its word */
	skip;
#if CAPACITY < RING
	if KILL
	:: atomic {
		skip;
		if
		:: t >= CAPACITY &&
		   IS_FULL(cell[(t - CAPACITY) % RING]) &&
		   LAPS(cell[(t - CAPACITY) % RING], t - CAPACITY) == 0 ->
			seen = cell[(t - CAPACITY) % RING]
		:: else -> goto put
		fi
	}
	fi;
	if KILL
	:: atomic { TAKEABLE(seen, word[INDEX(seen)]) -> goto is_full }
	:: atomic { !TAKEABLE(seen, word[INDEX(seen)]) -> skip }
	fi;
#endif
put:	/* try_publish: the position into the record; P1 after it */
	skip;
	if KILL
	:: atomic { seq[c] = t; seen = 0 }
	fi;
	/* try_publish: CAS of the cell: accepted */
	if KILL
	:: atomic {
		CAS(cell[t % RING], CELL_FREE(t), CELL_FULL(t, c, g));
		if
		:: done -> accepted[id] = true; done = false
		:: else -> goto look
		fi
	}
	fi;
	/* P2: try_publish: CAS of the tail */
	if KILL
	:: atomic {
		TRY(tail, t, t + 1);
		c = 0; g = 0; t = 0;
		if
		:: id == last -> goto gone
		:: else -> id++; goto claim
		fi
	}
	fi;
wait:	/* -EAGAIN: a send gives its loan back, a commit keeps it */
	skip;
	if
	:: !keeps ->
		/* ferryi_queue_abandon: the same generation */
		if KILL
		:: atomic {
			assert(word[c] == WORD(g, LOAN, me, 0));
			word[c] = WORD(g, FREE, 0, 0);
			c = 0; g = 0; t = 0; seen = 0
		}
		fi;
		if KILL
		:: atomic { MAY_FILL -> goto claim }
		:: atomic { NOBODY_RECEIVES -> goto gone }
		fi
	:: keeps ->
		if KILL
		:: atomic { MAY_FILL -> seen = 0; t = 0; goto commit }
		:: atomic {
			NOBODY_RECEIVES; /* close: ferryi_recover_owner */
			word[c] = WORD(g, FREE, 0, 0);
			goto gone
		}
		fi
	fi;
gone:	atomic {
		c = 0; t = 0; next = 0; g = 0; seen = 0; done = false;
		senders = (senders > 0 -> senders - 1 : 0);
		ended++
	}
}

/* --- receiving: take, and release or requeue --------------------------------- */

#define SENT_ALL (senders == 0)

proctype receiver(byte me)
{
	byte c, h, i, before, others, s;
	short seen, w;
	bool done, found;

next:	/* ferryi_queue_needs_now, ferryi_returned_take: load `returned` */
	skip;
	if KILL
	:: atomic { ANY(returned) -> before = returned; i = 0; found = false;
		    others = 0 }
	:: atomic { !ANY(returned) -> goto ring }
	fi;
	/* scan, look (returned.c): word after word; the least seq */
	do
	:: i < CHUNKS ->
		if KILL
		:: atomic {
			skip;
			if
			:: STATE(word[i]) == RETURNED ->
				others = others + found;
				if
				:: found && s <= seq[i]
				:: else -> found = true; c = i; w = word[i];
					   s = seq[i]
				fi
			:: else
			fi;
			i++
		}
		fi
	:: i == CHUNKS -> break
	od;
	atomic { i = 0; s = 0 };
	if
	:: found ->
		/* T4: CAS of the word, RETURNED -> HELD */
		if KILL
		:: atomic {
			CAS(word[c], w, AGAIN(w));
			if
			:: done -> w = word[c]; done = false
			:: else -> c = 0; w = 0; before = 0; goto next
			fi
		}
		fi
	:: else
	fi;
	if
	:: others == 0 ->
		/* settle: none is left, unless one came meanwhile */
		if KILL
		:: atomic {
#ifdef BREAK_VERSION
			returned = returned - returned % 2;
#else
			TRY(returned, before, before - 1);
#endif
			before = 0
		}
		fi
	:: else
	fi;
	atomic {
		before = 0; others = 0;
		if
		:: found -> found = false; goto have
		:: else
		fi
	};
ring:	/* take_from_ring: load the head */
	skip;
	if KILL
	:: atomic { h = head }
	fi;
look:	/* take_from_ring, try_take: load the cell */
	skip;
	if KILL
	:: atomic {
		seen = cell[h % RING];
		if
		:: seen == CELL_FREE(h) -> seen = 0; h = 0; goto wait
		:: else
		fi;
		if
		:: LAPS(seen, h) == 0 && IS_FULL(seen)
		:: LAPS(seen, h) > 0 -> goto behind
		:: else -> assert(false) /* STRANGE: the head was too far */
		fi
	}
	fi;
	/* cell_takeable: load the word */
	if KILL
	:: atomic {
		c = INDEX(seen);
		w = word[c];
		if
		:: TAKEABLE(seen, w)
		:: else -> goto stale
		fi
	}
	fi;
	/* try_claim: load the cell again; T1 after it */
	if KILL
	:: atomic { cell[h % RING] == seen -> skip }
	:: atomic { cell[h % RING] != seen -> w = 0; c = 0; goto look }
	fi;
	/* try_claim: CAS of the word: taken */
	if KILL
	:: atomic {
		CAS(word[c], w, WORD(GEN(w), HELD, me, 1));
		if
		:: done -> w = word[c]; done = false
		:: else -> w = 0; c = 0; goto look
		fi
	}
	fi;
	/* T2: pass: CAS of the cell */
	if KILL
	:: atomic { TRY(cell[h % RING], seen, CELL_FREE(h + RING)); seen = 0 }
	fi;
	/* T3: pass: CAS of the head */
	if KILL
	:: atomic { TRY(head, h, h + 1); h = 0 }
	fi;
	goto have;
stale:	/* try_take, pass: somebody took it and did not free its cell */
	skip;
	if KILL
	:: atomic { TRY(cell[h % RING], seen, CELL_FREE(h + RING)); seen = 0;
		    w = 0; c = 0 }
	fi;
	if KILL
	:: atomic { TRY(head, h, h + 1); h++; goto look }
	fi;
behind:	/* try_take: the hint is old: CAS of the head */
	skip;
	if KILL
	:: atomic {
		i = h + (LAPS(seen, h) - 1) * RING + 1;
		TRY(head, h, i);
		h = i; i = 0; seen = 0;
		goto look
	}
	fi;
have:	/* the application has the message */
	skip;
	if KILL
	:: atomic {
		s = payload[c];
		assert(!acked[s]); /* never after it was acknowledged */
		assert(!got[s] || DELIVERIES(w) > 1); /* twice: marked */
		got[s] = true
	}
	fi;
	if KILL
	:: atomic {
		/* R1: ferryi_queue_release: CAS of the word */
		assert(word[c] == w && payload[c] == s);
		acked[s] = true;
		word[c] = ENDED(w);
		c = 0; w = 0; s = 0;
		goto next
	}
	:: atomic {
		/* ferryi_queue_requeue: CAS of the word; Q1 after it */
		requeues > 0;
		requeues--;
		assert(word[c] == w);
		word[c] = WORD(GEN(w) + 1, RETURNED, 0, DELIVERIES(w));
		c = 0; w = 0; s = 0
	}
	fi;
	/* ferryi_returned_announce */
	if KILL
	:: atomic { returned = (returned / 2 + 1) * 2 + 1; goto next }
	fi;
wait:	/* -EAGAIN */
	skip;
	if KILL
	:: atomic { MAY_RECEIVE -> goto next }
	:: atomic { SENT_ALL && ALL_FREE && !MAY_RECEIVE -> goto left }
	fi;
gone:	receivers--;
left:	atomic {
		c = 0; h = 0; i = 0; before = 0; others = 0; s = 0; seen = 0;
		w = 0; done = false; found = false; ended++
	}
}

/* --- recovery: ferryi_recover_owner, by whoever looks -------------------------- */

#undef KILL
#define KILL                                                                   \
	:: atomic { kills > 0 -> kills--; goto idle }

proctype recoverer()
{
	byte p, i, s;
	short w;
	bool done, any;

idle:	atomic { p = 0; i = 0; s = 0; w = 0; done = false; any = false };
end:	atomic {
		dead[0] && !repaired[0] ||
		dead[1] && !repaired[1] ||
		dead[2] && !repaired[2] ||
		dead[3] && !repaired[3];
		do
		:: dead[p] && !repaired[p] -> break
		:: else -> p++
		od
	};
chunk:	/* recover_chunk: load the word */
	skip;
	if KILL
	:: atomic {
		w = word[i];
#ifndef BREAK_ANNOUNCE
		any = any || STATE(w) == RETURNED; /* after Q1 or V1 */
#endif
		if
		:: (STATE(w) == LOAN || STATE(w) == HELD) && OWNER(w) == p
		:: else -> goto ready
		fi
	}
	fi;
	if
	:: STATE(w) == LOAN ->
		/* is_published: load the cell that `seq` names */
		if KILL
		:: atomic {
			s = LOAN;
#ifndef BREAK_PUBLISHED
			if
			:: cell[seq[i] % RING] == CELL_FULL(seq[i], i, GEN(w)) ->
				s = QUEUED
			:: else
			fi
#endif
		}
		fi;
		/* recover_chunk: CAS of the word, LOAN -> QUEUED or FREE */
		if KILL
		:: atomic {
			CAS(word[i], w, (s == QUEUED -> WORD(GEN(w), QUEUED, 0, 0) : WORD(GEN(w), FREE, 0, 0)));
			s = 0;
			if
			:: done -> done = false; goto ready
			:: else -> goto chunk
			fi
		}
		fi
	:: else ->
		/* recover_chunk: CAS of the word, HELD -> RETURNED */
		if KILL
		:: atomic {
			CAS(word[i], w, WORD(GEN(w) + 1, RETURNED, 0, DELIVERIES(w)));
			if
			:: done -> done = false; any = true
			:: else -> goto chunk
			fi
		}
		fi;
		/* free_cell: CAS of the cell that its taker left at T2 */
		if KILL
		:: atomic {
			TRY(cell[seq[i] % RING], CELL_FULL(seq[i], i, GEN(w)), CELL_FREE(seq[i] + RING))
		}
		fi
	fi;
ready:	atomic {
		w = 0;
		i++;
		if
		:: i < CHUNKS -> goto chunk
		:: else
		fi
	};
	/* V1: ferryi_returned_announce */
	if KILL
	:: atomic {
		skip;
		if
		:: any -> returned = (returned / 2 + 1) * 2 + 1
		:: else
		fi
	}
	fi;
	/* V3: ferryi_repair: the slot is free */
	if KILL
	:: atomic { repaired[p] = true; goto idle }
	fi
}

#if OWNERS < 5
#error "the recoverer watches four owners"
#endif

init {
	byte i;

	atomic {
		i = 0;
		do
		:: i < SENDERS ->
			run sender(i, i * EACH, i * EACH + EACH - 1, i % 2 == 1);
			i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < RECEIVERS -> run receiver(FIRST_RECEIVER + i); i++
		:: else -> break
		od;
		run recoverer();
		i = 0
	};
	atomic {
		ended == SENDERS + RECEIVERS &&
		(!dead[0] || repaired[0]) && (!dead[1] || repaired[1]) &&
		(!dead[2] || repaired[2]) && (!dead[3] || repaired[3]);
		kills = 0;
		requeues = 0;
		fresh = true;
		run receiver(FRESH_RECEIVER)
	};
	atomic {
		ended == SENDERS + RECEIVERS + 1;
		assert(ALL_FREE && !MAY_RECEIVE);
		do
		:: i < SENDERS * EACH ->
			assert(!accepted[i] || acked[i]);
			assert(!got[i] || accepted[i]);
			i++
		:: else -> break
		od;
		i = 0;
		run sender(FRESH_SENDER, SENDERS * EACH, MESSAGES - 1, true)
	};
	atomic {
		ended == SENDERS + RECEIVERS + 2; /* else a place was lost */
		assert(!MAY_FILL || CAPACITY == RING && tail < CAPACITY);
	}
}
