/* SPDX-License-Identifier: MIT */
/*
 * Two processes with names that connect to each other: is everything read in the
 * order in which it was sent, whoever is killed, and is one line left?
 *
 * Mirrors:
 *
 *	src/link/process_line.c  ferryi_partner_out, ferryi_line_make, accept_line,
 *	                         ferryi_line_end
 *	src/link/process_find.c  look
 *	src/link/process_door.c  ferryi_door_admit
 *	src/link/process_move.c  line_out
 *
 * Process 0 has the smaller name.  Line i is the one that i makes.  What a process
 * does under its station's lock is several steps where the other one could see a
 * difference, and one where it could not.  A message of a line is its number; a
 * receiver asserts that they come as they were counted.  What the kernel knows of a
 * killed one: its lines hang up, what is in them stays.
 *
 * BREAK_SETTLE: the smaller one reads its own line without a look at its door (P3).
 * BREAK_ORDER: what the other one has made is read last.
 * BREAK_KEEP: the greater one does not give up its own line (P2).
 */
#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef KILLS
#define KILLS 1
#endif

#define NONE 2

/* a line: made and passed on; in the other's hands; closed by its maker */
bool made[2], accepted[2], closed[2];
chan to_1[2] = [MESSAGES] of { byte }; /* by line: what 0 sent */
chan to_0[2] = [MESSAGES] of { byte };
byte sent[2], got[2];
byte out[2] = NONE; /* the line that a process sends on */
bool gone[2];
byte kills = KILLS;

#define DIE                                                                    \
	:: kills > 0 -> kills--; goto end

/* The smaller one waits for the end of the greater's line. */
#ifdef BREAK_ORDER
#define OTHER_FIRST false
#else
#define OTHER_FIRST                                                            \
	(me == 0 && accepted[1] && !closed[1] && !gone[1])
#endif

/* ferryi_door_admit: all that has been passed on is ours now. */
inline admit(me)
{
	atomic {
		if
		:: made[1 - me] && !accepted[1 - me] ->
			accepted[1 - me] = true;
			if
			:: out[me] == NONE -> out[me] = 1 - me
#ifndef BREAK_KEEP
			:: out[me] == me && me == 1 -> heir = true
#endif
			:: else
			fi
		:: else
		fi
	}
}

inline put(me, line)
{
	atomic {
		if
		:: me == 0 -> to_1[line] ! sent[me]
		:: else -> to_0[line] ! sent[me]
		fi;
		sent[me]++
	}
}

proctype process(byte me)
{
	byte n;
	bool heir, settled;

next:
	do
	:: sent[me] < MESSAGES -> /* line_out */
		if
		:: out[me] == NONE -> admit(me)
		:: else
		fi;
		if
		:: heir -> /* P2: closed, then the other one */
			atomic { closed[me] = true; out[me] = 1 - me; heir = false }
		:: else
		fi;
		if
		:: out[me] == NONE ->
			if
			:: atomic { made[me] = true; out[me] = me } /* K2 */
			DIE
			fi
		:: else
		fi;
		if
		:: put(me, out[me])
		DIE
		fi
	/* the other's line: in front of our own, and there is nothing to be
	 * read in our own as long as it is not at its end */
	:: accepted[1 - me] && (me == 0 -> len(to_0[1]) : len(to_1[0])) > 0 ->
		atomic {
			if
			:: me == 0 -> to_0[1] ? n
			:: else -> to_1[0] ? n
			fi;
			assert(n == got[me]);
			got[me]++
		}
	:: made[me] && (me == 0 -> len(to_0[0]) : len(to_1[1])) > 0 &&
	   !OTHER_FIRST ->
#ifndef BREAK_SETTLE
		if
		:: !settled -> /* look */
			admit(me);
			settled = true;
			goto next
		:: else
		fi;
#endif
#ifndef BREAK_ORDER
		if
		:: accepted[1 - me] &&
		   (me == 0 -> len(to_0[1]) : len(to_1[0])) > 0 ->
			goto next /* it is no longer the first */
		:: else
		fi;
#endif
		atomic {
			if
			:: me == 0 -> to_0[0] ? n
			:: else -> to_1[1] ? n
			fi;
			assert(n == got[me]);
			got[me]++
		}
	:: made[1 - me] && !accepted[1 - me] -> admit(me) /* it knocks */
	:: got[me] == MESSAGES && sent[me] == MESSAGES -> break
	:: gone[1 - me] && sent[me] == MESSAGES &&
	   (me == 0 -> len(to_0[0]) + len(to_0[1]) :
		       len(to_1[0]) + len(to_1[1])) == 0 ->
		/* all that the killed one sent has been read */
		assert(got[me] == sent[1 - me]);
		break
	DIE
	od;
	/* one line is left of two that both know, or will be */
	if
	:: me == 1 && made[1] && accepted[0] ->
		assert(closed[1] || heir)
	:: else
	fi;
end:
	gone[me] = true
}

init
{
	atomic {
		run process(0);
		run process(1)
	}
}
