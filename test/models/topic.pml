/* SPDX-License-Identifier: MIT */
/*
 * The ring of a topic: is what was accepted kept until N later ones came, whole,
 * at its position; is a block subscriber ever overrun; does a chunk get lost,
 * whoever is killed between any two steps?
 *
 * Mirrors:
 *
 *	src/shm/broadcast.c       ferryi_broadcast_loan, ferryi_broadcast_tail,
 *	                          ferryi_broadcast_publish, fill, free_displaced,
 *	                          ferryi_broadcast_collect
 *	src/shm/broadcast_mend.c  ferryi_broadcast_recover
 *	src/shm/subscribe.c       ferryi_broadcast_subscribe, ferryi_broadcast_next,
 *	                          ferryi_broadcast_is_whole, ferryi_broadcast_pass
 *
 * Publishers of EACH messages; CELLS cells, of which CAPACITY are promised; a
 * recoverer for each that is killed; one subscriber that blocks and joins from the
 * oldest, when BLOCKER is 1, and one that reads without a promise, when READER
 * is 1.  Who is blocked, or finds no chunk, waits and tries again.
 *
 * BREAK_WORD: the word of the displaced chunk is read behind the CAS.
 * BREAK_GENERATION: a chunk is freed without a new generation.
 * BREAK_CELL: recovery does not ask whether the chunk is in its cell.
 * BREAK_COLLECT: nobody frees what one who died had displaced.
 * BREAK_RECHECK: a reader does not look at the cell again.
 * BREAK_JOIN: a blocker does not look for the tail again once it has said so.
 * BREAK_BEHIND: a publisher asks for blockers before it knows its position.
 */
#ifndef EACH
#define EACH 2
#endif
#ifndef PUBLISHERS
#define PUBLISHERS 2
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef BLOCKER
#define BLOCKER 0
#endif
#ifndef READER
#define READER 0
#endif
#ifndef SPARES
#define SPARES 2 /* with 1 who publishes has to look for what others left */
#endif
#define CELLS	 2
#define CAPACITY 1
#define CHUNKS	 4 /* of which CELLS + SPARES can be had */
#define NONE	 15
#ifdef BREAK_GENERATION
#define NEXT 0
#else
#define NEXT 1
#endif
#define MESSAGES (EACH * PUBLISHERS)

mtype = { FREE, LOAN, QUEUED };

byte lap[CELLS];		/* as stored: 0 nothing yet */
byte in_cell[CELLS];		/* the chunk of it */
mtype state[CHUNKS] = FREE;	/* the chunk's word: */
byte gen[CHUNKS], owner[CHUNKS];
byte seq[CHUNKS], data[CHUNKS];
byte tail;			/* the hint */
bool blocking;
byte cursor;			/* of the blocker */
bool dead[PUBLISHERS + 1], done[PUBLISHERS + 1], recovered[PUBLISHERS + 1];
byte kills = KILLS;
byte message[MESSAGES + 1];	/* ghost: what was accepted at a position */
byte accepted;			/* ghost */
bool joined;			/* ghost: the blocker knows where it stands */

#define LAP(p)	  ((p) / CELLS)
#define CELL(p)	  ((p) % CELLS)
#define FILLED(p) (lap[CELL(p)] == LAP(p) + 1)
#define HOLDS(p, c) (FILLED(p) && in_cell[CELL(p)] == (c))
#define BEFORE(p, n) ((p) > (n) -> (p) - (n) : 0)
#define BLOCKED(p) (blocking && (p) >= cursor + CAPACITY)
#define DIE                                                                    \
	:: atomic { kills > 0 -> kills-- }; goto died

/* From the hint forward over what is filled; a later lap says more. */
inline find_tail(t)
{
	t = tail;
	do
	:: d_step { lap[CELL(t)] > LAP(t) + 1 ->
		t = (lap[CELL(t)] - 1) * CELLS + CELL(t) + 1 }
	:: d_step { FILLED(t) -> t++ }
	:: lap[CELL(t)] <= LAP(t) -> break
	od
}

/* QUEUED, and no longer in the cell of its seq. */
inline collect()
{
	i = 0;
	do
	:: i == CHUNKS -> break
	:: i < CHUNKS ->
		if
		:: d_step { state[i] == QUEUED -> g = gen[i]; at = seq[i] }
		   if
		   :: HOLDS(at, i)
		   :: d_step { !HOLDS(at, i) ->
			if
			:: state[i] == QUEUED && gen[i] == g ->
				state[i] = FREE;
				gen[i] = gen[i] + NEXT
			:: else
			fi }
		   fi
		:: state[i] != QUEUED
		fi;
		i++
	od
}

proctype publisher(byte me)
{
	byte c, t, i, g, at, old, old_gen, my_gen, sent;
	byte seen;

again:
	if
	:: sent == EACH -> goto finished
	:: sent < EACH
	DIE
	fi;
	/* ferryi_broadcast_loan */
	c = 0;
	do
	:: c == CHUNKS ->
#ifndef BREAK_COLLECT
		collect();
#endif
		/* waits for a chunk */
		if
		:: state[0] == FREE || state[1] == FREE || state[2] == FREE ||
		   state[3] == FREE -> c = 0
#ifndef BREAK_COLLECT
		:: (state[0] == QUEUED && !HOLDS(seq[0], 0)) ||
		   (state[1] == QUEUED && !HOLDS(seq[1], 1)) ||
		   (state[2] == QUEUED && !HOLDS(seq[2], 2)) ||
		   (state[3] == QUEUED && !HOLDS(seq[3], 3)) -> c = 0
#endif
		DIE
		fi
	:: c < CHUNKS && state[c] != FREE -> c++
	:: atomic { c < CHUNKS && state[c] == FREE ->
		state[c] = LOAN; owner[c] = me; my_gen = gen[c]; break }
	od;
	if
	:: atomic {
		/* nobody can read it any more, nor does anybody else write it */
		assert(!(lap[0] > 0 && in_cell[0] == c) &&
		       !(lap[1] > 0 && in_cell[1] == c));
		assert(state[c] == LOAN && owner[c] == me && gen[c] == my_gen);
		data[c] = me * EACH + sent + 1 }
	DIE
	fi;
	/* ferryi_broadcast_publish */
	do
	::
#ifdef BREAK_BEHIND
		t = tail;
		if
		:: !BLOCKED(t)
		DIE
		fi;
#endif
		find_tail(t);
#ifndef BREAK_BEHIND
		if
		:: !BLOCKED(t)
		DIE
		fi;
#endif
		atomic {
			if
			:: lap[CELL(t)] == LAP(t) ->
				seen = (lap[CELL(t)] > 0 -> in_cell[CELL(t)] :
							    NONE)
			:: else -> goto next
			fi
		}
#ifndef BREAK_WORD
		if
		:: seen != NONE -> old_gen = gen[seen]
		:: seen == NONE
		DIE
		fi;
#endif
		if
		:: seq[c] = t
		DIE
		fi;
		/* U1, the CAS of the cell, U2 */
		if
		:: atomic {
			if
			:: lap[CELL(t)] == LAP(t) ->
				assert(t == accepted);
				/* who blocks keeps what it has not read */
				assert(!joined || t < cursor + CELLS);
				lap[CELL(t)] = LAP(t) + 1;
				in_cell[CELL(t)] = c;
				message[t] = data[c];
				accepted++;
				sent++
			:: else -> goto next
			fi }
		DIE
		fi;
		break;
next:
		skip
	od;
	if
	:: d_step { tail == t -> tail = t + 1 }
	:: tail != t
	DIE
	fi;
	/* it is nobody's now; perhaps somebody has displaced it already */
	if
	:: atomic {
		if
		:: state[c] == LOAN && owner[c] == me && gen[c] == my_gen ->
			state[c] = QUEUED
		:: else
		fi }
	DIE
	fi;
	/* U3: the displaced one */
#ifdef BREAK_WORD
	if
	:: seen != NONE -> old_gen = gen[seen]
	:: seen == NONE
	DIE
	fi;
#endif
	if
	:: atomic { seen != NONE ->
		if
		:: gen[seen] == old_gen && state[seen] != FREE ->
			state[seen] = FREE;
			gen[seen] = gen[seen] + NEXT
		:: else
		fi }
	:: seen == NONE
	DIE
	fi;
	goto again;
died:
	dead[me] = true;
	goto over;
finished:
	done[me] = true;
over:
	skip
}

/* ferryi_broadcast_recover, by one who has proof */
proctype recoverer(byte whose)
{
	byte c, g, at, i;
	bool here;

	if
	:: dead[whose]
	:: done[whose] -> goto over
	fi;
	do
	:: c == CHUNKS -> break
	:: c < CHUNKS ->
		if
		:: atomic { state[c] == LOAN && owner[c] == whose ->
			g = gen[c]; at = seq[c] }
		   here = HOLDS(at, c);
#ifdef BREAK_CELL
		   here = false;
#endif
		   atomic {
			if
			:: state[c] == LOAN && owner[c] == whose && gen[c] == g ->
				if
				:: here -> state[c] = QUEUED
				:: else -> state[c] = FREE;
					gen[c] = gen[c] + NEXT
				fi
			:: else
			fi }
		:: !(state[c] == LOAN && owner[c] == whose)
		fi;
		c++
	od;
	if
	:: atomic { whose == PUBLISHERS -> joined = false; blocking = false }
	:: whose != PUBLISHERS
	fi;
	collect();
over:
	recovered[whose] = true
}

/* Policy block, from the oldest. */
proctype blocker()
{
	byte t, got;

	find_tail(t);
	cursor = BEFORE(t, CAPACITY);
	if
	:: blocking = true
	DIE
	fi;
#ifndef BREAK_JOIN
	find_tail(t);
#endif
	if
	:: atomic { cursor = BEFORE(t, CAPACITY); joined = true }
	DIE
	fi;
	do
	:: got == 2 -> break
	:: got < 2 && FILLED(cursor) ->
		t = data[in_cell[CELL(cursor)]];
		assert(FILLED(cursor) && t == message[cursor]);
		got++;
		if
		:: cursor++
		DIE
		fi
	:: lap[CELL(cursor)] > LAP(cursor) + 1 -> assert(false)
	:: accepted == MESSAGES && !FILLED(cursor) -> break
	/* nothing will come any more: the others were killed */
	:: (done[0] || dead[0]) && (done[1] || dead[1]) && !FILLED(cursor) ->
		break
	od;
	atomic { joined = false; blocking = false };
	done[PUBLISHERS] = true;
	goto over;
died:
	dead[PUBLISHERS] = true;
over:
	skip
}

/* What it reads and finds in its cell again was the message. */
proctype reader()
{
	byte at, c, d, n;

	do
	:: n == 4 -> break
	:: n < 4 && FILLED(at) ->
		c = in_cell[CELL(at)];
		d = data[c];
		atomic {
			if
#ifdef BREAK_RECHECK
			:: true -> assert(d == message[at])
#else
			:: HOLDS(at, c) -> assert(d == message[at])
			:: else
#endif
			fi
		};
		at++;
		n++
	:: n < 4 && lap[CELL(at)] > LAP(at) + 1 -> at++
	:: true -> break
	od
}

/* At last every chunk is free or a message. */
proctype auditor()
{
	byte i, g, at;

	recovered[0] && recovered[1] && recovered[PUBLISHERS];
#ifndef BREAK_COLLECT
	collect();
#endif
	i = 0;
	do
	:: i == CHUNKS -> break
	:: i < CHUNKS ->
		assert(state[i] == FREE || owner[i] == NONE || (lap[0] > 0 && in_cell[0] == i) ||
		       (lap[1] > 0 && in_cell[1] == i));
		assert(state[i] != LOAN || owner[i] == NONE);
		i++
	od;
	assert(kills < KILLS || accepted == MESSAGES)
}

init
{
	byte i;

	atomic {
#if SPARES == 1
		state[3] = LOAN;
		owner[3] = NONE;
#endif
		run publisher(0);
		run publisher(1);
		run recoverer(0);
		run recoverer(1);
		run auditor();
#if BLOCKER
		run blocker();
		run recoverer(PUBLISHERS);
#else
		recovered[PUBLISHERS] = true;
#endif
#if READER
		run reader();
#endif
	}
}
