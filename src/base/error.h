/* SPDX-License-Identifier: MIT */
/*
 * How errors are born: a negative errno from the closed table of
 * <ferry/base.h>, and a sentence for ferry_explain(), kept for the thread.
 *
 * Faults (something is wrong with a name, a file, an option) are born with
 * ferryi_fail().  Outcomes (empty, full, timed out, cancelled) are plain
 * numbers without a sentence: they are too frequent to format one, and the
 * link can tell its state when it is asked.
 */
#ifndef FERRYI_BASE_ERROR_H
#define FERRYI_BASE_ERROR_H

#include <stddef.h>

/*
 * Remember the sentence for `err` in this thread; the value is `err`.  The
 * sentence says what is wrong and what to do: "what (fix)".  A macro, so that
 * compilers and analysers see that a failure is what it is.
 */
#define ferryi_fail(err, ...) (ferryi_fail_note((err), __VA_ARGS__), (err))
void ferryi_fail_note(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for a system call's errno, mapped into the closed table. */
int ferryi_fail_sys(int sys_errno, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* An errno of the system (positive) as a negative result of the closed table. */
int ferryi_errno(int sys_errno);

/* The sentence this thread remembers for `err`, or NULL. */
const char *ferryi_fail_sentence(int err);

/* A sentence for a result of which nothing more is known.  Never NULL. */
const char *ferryi_error_hint(int err);

/* For which result this thread remembers a sentence.  Every call clears it, so it
 * is where that takes one store. */
extern __thread int ferryi_fail_last
	__attribute__((visibility("hidden"), tls_model("initial-exec")));

/* Forget it: called when a call that may fail begins. */
static inline void ferryi_fail_clear(void)
{
	ferryi_fail_last = 0;
}

#endif
