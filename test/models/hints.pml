/* SPDX-License-Identifier: MIT */
/*
 * Old hints: may a process stop anywhere in a send or a take, while others go
 * round the ring, and go on (or never go on) without harm?
 *
 * Mirrors, a step of the model for each access to a shared word:
 *
 *	src/shm/words.h    ferryi_cell_free, ferryi_cell_full, ferryi_cell_laps,
 *	                   ferryi_takeable: turn and generation wrap
 *	src/shm/chunks.c   claim
 *	src/shm/queue.c    ferryi_queue_commit, try_publish, after,
 *	                   take_from_ring, try_take, try_claim, pass,
 *	                   ferryi_queue_release
 *	src/shm/watch.c    may_receive, may_fill, may_loan: as the condition
 *	                   under which one who was told to wait goes on
 *	src/shm/recover.c  ferryi_queue_heal_hints (with OLD=3)
 *
 * A busy sender and a busy receiver go LAPS_ROUND times round the ring.  An old
 * sender (OLD=1) or an old receiver (OLD=2) makes one call; any delay between two
 * of its steps is an interleaving, and with STOPS it may stop for ever.  With
 * OLD=3 a process heals the hints meanwhile, as one does that tried too often.
 *
 * Positions are filled in order without holes and taken in order, each once
 * (I4), the hints are never too far, and nobody waits for ever.
 *
 * How it is written (traps of the language): a label that is jumped to out of an
 * atomic step begins with `skip`, since the jump carries the atomicity on; and
 * an `if` that begins an option of another `if` comes after a `skip`, since it
 * would become part of the outer one, `else` and all.
 */
#ifndef RING
#define RING 2
#endif
#ifndef LAPS_ROUND
#define LAPS_ROUND 3
#endif
#ifndef CHUNKS
#define CHUNKS 3
#endif
#ifndef STOPS
#define STOPS 1
#endif
#ifndef OLD
#define OLD 1
#endif
#define TURNS 8 /* 2^turn_bits: the least that layout.c allows */
#define GENS  4 /* 2^gen_bits: the least that layout.c allows for two cells */
#ifndef START
#if OLD == 3
#define START 0
#else
#define START ((TURNS - 2) * RING) /* the turn wraps on the way */
#endif
#endif
#define LAST  (START + LAPS_ROUND * RING)

#define FREE 0
#define LOAN 1
#define HELD 3

/* gen | state:2; nobody is recovered here, so who owns it does not matter */
#define WORD(g, s) ((g) * 4 + (s))
#define GEN(w)	   ((w) / 4)
#define STATE(w)   ((w) % 4)

/* turn:3 | gen:2 | full:1 | index:2 */
#define TURN(p)		   (((p) / RING) % TURNS)
#define CELL_FREE(p)	   (TURN(p) * 32)
#define CELL_FULL(p, c, g) (TURN(p) * 32 + ((g) % GENS) * 8 + 4 + (c))
#define IS_FULL(x)	   (((x) / 4) % 2 == 1)
#define INDEX(x)	   ((x) % 4)
#define CELL_GEN(x)	   (((x) / 8) % GENS)

/* how many laps the cell is ahead, in half the turns either way */
#define AHEAD(x, p) (((x) / 32 + TURNS - TURN(p)) % TURNS)
#define LAPS(x, p)                                                             \
	(AHEAD(x, p) > (TURNS - 1) / 2 -> AHEAD(x, p) - TURNS : AHEAD(x, p))

#ifdef BREAK_GENERATION /* a cell means its chunk in any generation */
#define TAKEABLE(x, w) (STATE(w) == LOAN)
#else
#define TAKEABLE(x, w) (STATE(w) == LOAN && GEN(w) % GENS == CELL_GEN(x))
#endif

#ifdef BREAK_LAPS /* a cell two laps ahead is taken for garbage */
#define IS_OLD(x, p) (LAPS(x, p) == 1)
#else
#define IS_OLD(x, p) (LAPS(x, p) > 0)
#endif

byte cell[RING]; /* set in init */
byte word[CHUNKS], seq[CHUNKS];
byte tail = START, head = START;

byte filled = START, taken = START; /* positions so far: what is true */
byte stops = STOPS, ended;

#define CAS(at, from, to)                                                      \
	skip;                                                                  \
	if                                                                     \
	:: at == from -> at = to; done = true                                  \
	:: else -> done = false                                                \
	fi

#define TRY(at, from, to)                                                      \
	skip;                                                                  \
	if                                                                     \
	:: at == from -> at = to                                               \
	:: else                                                                \
	fi

#define STOP                                                                   \
	:: atomic { stops > 0 && old -> stops--; goto stopped }

#define BACK	 cell[(tail - RING) % RING]
#define MAY_FILL                                                               \
	(tail < START + RING || !IS_FULL(BACK) || LAPS(BACK, tail - RING) != 0 || \
	 !TAKEABLE(BACK, word[INDEX(BACK)]))
#define MAY_RECEIVE (cell[head % RING] != CELL_FREE(head))
#define MAY_LOAN                                                               \
	(STATE(word[0]) == FREE || STATE(word[1]) == FREE ||                   \
	 STATE(word[2]) == FREE)

#define NOT_TOO_FAR assert(tail <= filled && head <= taken)

/* Fills positions until LAST of them are filled; an old one sends once. */
proctype sender(bool old)
{
	byte c, t, next, g, seen;
	bool done;

claim:	/* claim (chunks.c) */
	skip;
	if STOP
	:: atomic {
		MAY_LOAN;
		c = 0;
		do
		:: STATE(word[c]) != FREE -> c++
		:: else -> break
		od;
		g = GEN(word[c]);
		word[c] = WORD(g, LOAN)
	}
	:: atomic { filled >= LAST -> goto ends }
	fi;
commit:	/* ferryi_queue_commit: load the tail */
	skip;
	if STOP
	:: atomic { t = tail }
	fi;
look:	/* try_publish: load the cell */
	skip;
	if STOP
	:: atomic {
		seen = cell[t % RING];
		if
		:: seen == CELL_FREE(t) -> goto put
		:: else
		fi;
		if
		:: IS_OLD(seen, t) || (LAPS(seen, t) == 0 && IS_FULL(seen)) ->
			goto behind
		:: LAPS(seen, t) == -1 && IS_FULL(seen) -> goto busy
		:: else -> assert(false) /* STRANGE: the tail was too far */
		fi
	}
	fi;
behind:	/* try_publish: the hint is old; after(), CAS of the tail */
	skip;
	if STOP
	:: atomic {
		next = t + (LAPS(seen, t) - (IS_FULL(seen) -> 0 : 1)) * RING + 1;
		TRY(tail, t, next);
		NOT_TOO_FAR;
		t = next;
		next = 0;
		goto look
	}
	fi;
busy:	/* try_publish, cell_takeable: load the word of the chunk there */
	skip;
	if STOP
	:: atomic { TAKEABLE(seen, word[INDEX(seen)]) -> goto is_full }
	:: atomic { !TAKEABLE(seen, word[INDEX(seen)]) -> skip }
	fi;
	/* try_publish: stale, its taker is slow or dead: CAS of the cell */
	if STOP
	:: atomic { TRY(cell[t % RING], seen, CELL_FREE(t)); goto look }
	fi;
is_full: /* try_publish: load the tail again */
	skip;
	if STOP
	:: atomic { tail != t -> goto look }
	:: atomic { tail == t && filled < LAST -> goto wait }
	:: atomic { tail == t && filled >= LAST -> goto drop }
	fi;
put:	/* try_publish: the position into the record; P1 after it */
	skip;
	if STOP
	:: atomic { filled < LAST; seq[c] = t; seen = 0 }
	:: atomic { filled >= LAST -> goto drop }
	fi;
	/* try_publish: CAS of the cell: accepted */
	if STOP
	:: atomic {
#ifdef BREAK_TURN /* an empty cell is an empty cell, of whatever lap */
		skip;
		if
		:: !IS_FULL(cell[t % RING]) ->
			cell[t % RING] = CELL_FULL(t, c, g);
			done = true
		:: else -> done = false
		fi;
#else
		CAS(cell[t % RING], CELL_FREE(t), CELL_FULL(t, c, g));
#endif
		if
		:: done ->
			assert(t == filled);
			filled++;
			done = false
		:: else -> goto look
		fi
	}
	fi;
	/* P2: try_publish: CAS of the tail */
	if STOP
	:: atomic {
		TRY(tail, t, t + 1);
		NOT_TOO_FAR;
		c = 0; g = 0; t = 0;
		if
		:: old -> goto ends
		:: else -> goto claim
		fi
	}
	fi;
wait:	/* -EAGAIN */
	skip;
	if STOP
	:: atomic { MAY_FILL -> seen = 0; t = 0; goto commit }
	:: atomic { filled >= LAST -> goto drop }
	fi;
drop:	/* ferryi_queue_abandon */
	atomic { word[c] = WORD(g, FREE); goto ends };
stopped:
ends:	atomic { c = 0; t = 0; next = 0; g = 0; seen = 0; done = false; ended++ }
}

/* Takes until all is taken; an old one takes once. */
proctype receiver(bool old)
{
	byte c, h, i, seen, w;
	bool done;

ring:	/* take_from_ring: load the head */
	skip;
	if STOP
	:: atomic { h = head }
	fi;
look:	/* take_from_ring, try_take: load the cell */
	skip;
	if STOP
	:: atomic {
		seen = cell[h % RING];
		if
		:: seen == CELL_FREE(h) -> seen = 0; h = 0; goto wait
		:: else
		fi;
		if
		:: LAPS(seen, h) == 0 && IS_FULL(seen)
		:: IS_OLD(seen, h) -> goto behind
		:: else -> assert(false) /* STRANGE: the head was too far */
		fi
	}
	fi;
	/* cell_takeable: load the word */
	if STOP
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
	if STOP
	:: atomic { cell[h % RING] == seen -> skip }
	:: atomic { cell[h % RING] != seen -> w = 0; c = 0; goto look }
	fi;
	/* try_claim: CAS of the word: taken */
	if STOP
	:: atomic {
		CAS(word[c], w, WORD(GEN(w), HELD));
		if
		:: done ->
			assert(h == taken && seq[c] == h);
			taken++;
			w = word[c];
			done = false
		:: else -> w = 0; c = 0; goto look
		fi
	}
	fi;
	/* T2: pass: CAS of the cell */
	if STOP
	:: atomic { TRY(cell[h % RING], seen, CELL_FREE(h + RING)); seen = 0 }
	fi;
	/* T3: pass: CAS of the head */
	if STOP
	:: atomic { TRY(head, h, h + 1); NOT_TOO_FAR; h = 0 }
	fi;
	/* R1: ferryi_queue_release */
	if STOP
	:: atomic {
		assert(word[c] == w);
		word[c] = WORD(GEN(w) + 1, FREE);
		w = 0; c = 0;
		if
		:: old -> goto ends
		:: else -> goto ring
		fi
	}
	fi;
stale:	/* try_take, pass: somebody took it and did not free its cell */
	skip;
	if STOP
	:: atomic { TRY(cell[h % RING], seen, CELL_FREE(h + RING)); seen = 0;
		    w = 0; c = 0 }
	fi;
	if STOP
	:: atomic { TRY(head, h, h + 1); NOT_TOO_FAR; h++; goto look }
	fi;
behind:	/* try_take: the hint is old: CAS of the head */
	skip;
	if STOP
	:: atomic {
		i = h + (LAPS(seen, h) - 1) * RING + 1;
		TRY(head, h, i);
		NOT_TOO_FAR;
		h = i; i = 0; seen = 0;
		goto look
	}
	fi;
wait:	/* -EAGAIN */
	skip;
	if STOP
	:: atomic { MAY_RECEIVE -> goto ring }
	:: atomic { taken >= LAST -> goto ends }
	fi;
stopped:
ends:	atomic { c = 0; h = 0; i = 0; seen = 0; w = 0; done = false; ended++ }
}

/* ferryi_queue_heal_hints: load by load, store by store. */
proctype healer()
{
	byte base, i, seen;
	short at, first = 127, least = 127, last = -127;

	base = (cell[0] / 32) * RING;
	do
	:: i < RING ->
		atomic {
			seen = cell[i];
			at = LAPS(seen, base) * RING + i;
			first = (at < first -> at : first);
			if
			:: !IS_FULL(seen) ->
				least = (at < least -> at : least)
			:: else -> last = (at > last -> at : last)
			fi;
			i++; at = 0; seen = 0
		}
	:: else -> break
	od;
	least = (least == 127 -> last + 1 : least);
	atomic { head = base + first; NOT_TOO_FAR };
	atomic {
#ifdef BREAK_HEAL /* the least empty cell: an earlier one may be empty by now */
		tail = base + least;
#else /* no position before the least one that was seen is still to be filled */
		tail = base + first;
#endif
		NOT_TOO_FAR;
		base = 0; i = 0; first = 0; least = 0; last = 0;
		ended++
	}
}

init {
	byte i;

	atomic {
		do
		:: i < RING -> cell[i] = CELL_FREE(START + i); i++
		:: else -> break
		od;
		i = 0;
		run sender(false);
		run receiver(false);
#if OLD == 1
		run sender(true)
#elif OLD == 2
		run receiver(true)
#else
		run healer()
#endif
	};
	atomic {
		ended == 3;
		assert(filled == LAST && taken == LAST)
	}
}
