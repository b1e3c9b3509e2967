/* SPDX-License-Identifier: MIT */
/*
 * Event loops beside a receiver that sleeps: is anybody left waiting while there
 * is a message, also when a loop is told and does not come?
 *
 * Mirrors:
 *
 *	src/shm/watch.c      ferryi_poll_gate_raise, ferryi_poll_gate_lower
 *	src/link/pollers.c   ferryi_pollers_wake
 *	src/link/mailbox.c   ferryi_mailbox_wake, interest
 *	src/link/pollfd.c    ferryi_polled_begin (C), _for (A), _may
 *	src/wait/stand_in.c  sleep_by_ring, sleep_by_thread
 *	src/wait/helper.c    run
 *	src/wait/wait.c      ferryi_doze_end
 *
 * One mailbox.  Two senders send one message each, or are killed at any step; a
 * RECEIVER sleeps as in wake.pml; one or two LOOPS share a process, each with a link of
 * its own.  A loop that is told comes, or never does (`lazy`).  With THREAD a helper
 * sleeps for both of them, and not a ring for each.
 *
 * Who is killed is found by the sleeper that the bell wakes, by the net of the
 * sleeper, or when a loop comes to look; time is not counted, a loop may look at any
 * moment while somebody dead is not repaired after.
 */
#ifndef KILLS
#define KILLS 1
#endif
#ifndef THREAD
#define THREAD 0
#endif
#ifndef LOOPS
#define LOOPS 2
#endif
#ifndef RECEIVER /* without one, what loops do not take stays */
#define RECEIVER 0
#endif

byte queued;
bool gate;	  /* FERRYI_GATE_RECV: up? */
bool up;	  /* FERRYI_POLL_RECV: bit 0 */
byte count;	  /* and the rest of it */
byte epoch;
byte kills, dead; /* dead: those whom nobody has repaired after */

bool asleep; /* the receiver */

/* struct ferryi_polled of each loop */
bool may[2] = true, told[2], lazy[2], waits[2];
bool sleeps[2];	  /* the stand-in has words */
byte saw[2], at[2]; /* which: the gate's count, epoch */
bool heard[2];	  /* THREAD: woken in futex_waitv, of which one is named */
bool napping;	  /* THREAD: in futex_waitv */

#define READABLE(i) (may[i] || told[i])

#ifdef BREAK_COUNT /* a flag: up is all that is compared */
#define SAME(i) (up && at[i] == epoch)
#else
#define SAME(i) (up && saw[i] == count && at[i] == epoch)
#endif

/* FUTEX_WAKE of the loops' gate, or of `epoch`: all of them. */
#define WAKE_LOOPS                                                             \
	skip;                                                                  \
	if                                                                     \
	:: THREAD && napping && (sleeps[0] || sleeps[1]) ->                    \
		napping = false;                                               \
		heard[0] = sleeps[0];                                          \
		heard[1] = sleeps[1] && !sleeps[0]                             \
	:: THREAD && !(napping && (sleeps[0] || sleeps[1])) -> skip            \
	:: !THREAD ->                                                          \
		told[0] = told[0] || sleeps[0];                                \
		told[1] = told[1] || sleeps[1];                                \
		sleeps[0] = false;                                             \
		sleeps[1] = false                                              \
	fi

#ifdef BREAK_OWN /* loops sleep at the receivers' gate: one is woken, the first */
#define WAKE_ONE                                                               \
	skip;                                                                  \
	if                                                                     \
	:: sleeps[0] -> sleeps[0] = false; told[0] = true                      \
	:: !sleeps[0] && sleeps[1] -> sleeps[1] = false; told[1] = true        \
	:: !sleeps[0] && !sleeps[1] -> asleep = false                          \
	fi
#else
#define WAKE_ONE asleep = false
#endif

#define REPAIR                                                                 \
	dead = 0;                                                              \
	epoch++;                                                               \
	asleep = false;                                                        \
	WAKE_LOOPS

#define KILL                                                                   \
	:: atomic {                                                            \
		kills > 0;                                                     \
		kills--;                                                       \
		dead++;                                                        \
		if                                                             \
		:: asleep -> REPAIR /* the bell */                             \
		:: else                                                        \
		fi;                                                            \
		goto gone                                                      \
	}

proctype sender()
{
	bool seen;

	/* W1 */
	if KILL
	:: atomic { queued++ }
	fi;
	/* wake_sleeper: W2, W3 */
	if KILL
	:: atomic { seen = gate; gate = false }
	fi;
	if KILL
	:: atomic {
		if
		:: seen -> WAKE_ONE
		:: else
		fi;
		seen = false
	}
	fi;
	/* ferryi_pollers_wake: W2, then W4 */
	if KILL
	:: atomic {
		seen = up;
		if
		:: up -> up = false; count++
		:: else
		fi
	}
	fi;
	if KILL
	:: atomic {
		if
		:: seen -> WAKE_LOOPS
		:: else
		fi;
		seen = false
	}
	fi;
gone:	seen = false
}

proctype receiver()
{
again:	if
	:: atomic { queued > 0 -> queued--; goto again }
	:: atomic { queued == 0 -> skip }
	fi;
	gate = true;
	if
	:: atomic { queued > 0 -> goto again }
	:: atomic { queued == 0 -> skip }
	fi;
	atomic {
		if
		:: gate && queued == 0 -> asleep = true
		:: else -> goto again
		fi
	};
end:	if
	:: atomic { !asleep -> goto again }
	:: atomic { asleep && dead > 0 -> REPAIR } /* the net */
	fi;
	goto again
}

#ifdef BREAK_LOOKS /* only who sleeps looks for the dead */
#define LOOK_TIME(i) false
#else
#define LOOK_TIME(i) (dead > 0)
#endif

proctype loop(byte me)
{
	waits[me] = true;
end:	atomic {
		READABLE(me) || LOOK_TIME(me);
		if
		:: lazy[me] = true; goto stop
		:: skip
		fi;
		waits[me] = false
	};
	/* ferry_recv: one call a turn of the loop */
call:	if
	:: atomic {
		queued > 0;
		queued--;
		may[me] = true;
		waits[me] = true;
		goto end
	}
	:: atomic { queued == 0 -> skip }
	fi;
	/* ferryi_polled_begin: ferryi_doze_end looks; C */
	atomic {
		if
		:: dead > 0 && LOOK_TIME(me) -> REPAIR
		:: else
		fi
	};
#ifndef BREAK_CLEAR
	atomic { sleeps[me] = false; heard[me] = false; told[me] = false };
#endif
	/* interest: epoch, S1, S2 */
	at[me] = epoch;
#ifndef BREAK_RAISE
	atomic { up = true; saw[me] = count };
#endif
	if
	:: atomic { queued > 0 -> goto call }
	:: atomic { queued == 0 -> skip }
	fi;
#ifdef BREAK_RAISE /* S2 before S1 */
	atomic { up = true; saw[me] = count };
#endif
	/* A: ferryi_polled_for */
	atomic {
		if
		:: THREAD ->
			sleeps[me] = true;
			napping = false /* it is told of the change */
		:: !THREAD && SAME(me) -> sleeps[me] = true
		:: !THREAD && !SAME(me) -> goto call
		fi;
		may[me] = false
	};
#ifdef BREAK_CLEAR /* C after A */
	told[me] = false;
#endif
	waits[me] = true;
	goto end;
stop:	skip
}

/* The thread for both. */
proctype helper()
{
end:	do
	:: atomic {
		!napping;
		if
		:: heard[0] -> sleeps[0] = false; told[0] = true; heard[0] = false
		:: else
		fi;
		if
		:: heard[1] -> sleeps[1] = false; told[1] = true; heard[1] = false
		:: else
		fi
	};
	/* the kernel compares before it sleeps */
	atomic {
		if
		:: sleeps[0] && !SAME(0) -> sleeps[0] = false; told[0] = true
		:: sleeps[1] && !SAME(1) -> sleeps[1] = false; told[1] = true
		:: (!sleeps[0] || SAME(0)) && (!sleeps[1] || SAME(1)) ->
			napping = true
		fi
	}
	od
}

#define LEFT(i) (queued > 0 && waits[i] && !lazy[i] && !READABLE(i))

init {
	atomic {
		do
		:: kills < KILLS -> kills++
		:: break
		od;
		run sender();
		run sender();
		if
		:: RECEIVER -> run receiver()
		:: else
		fi;
		run loop(0);
		if
		:: LOOPS > 1 -> run loop(1)
		:: else
		fi;
		if
		:: THREAD -> run helper()
		:: else
		fi
	};
	timeout; /* nothing moves any more */
	assert(!(queued > 0 && asleep));
	assert(!LEFT(0) && !LEFT(1))
}
