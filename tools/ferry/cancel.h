/* SPDX-License-Identifier: MIT */
/*
 * SIGINT, SIGTERM and SIGHUP of a verb that waits: the wait is cancelled, what
 * is held is given back, the link is closed, and then the signal ends the
 * process, so the shell sees 128+N and nobody has to repair after us.
 *
 * A signal that was ignored when the command was started stays ignored.
 */
#ifndef FERRY_TOOLS_CANCEL_H
#define FERRY_TOOLS_CANCEL_H

#include <stdbool.h>
#include <ferry.h>

/* From now on a signal, or one that came before, cancels the waits of `link`. */
void cancel_on_signals(struct ferry_link *link);

/* The same for several at once: the i-th, less than CANCEL_MAX. */
#define CANCEL_MAX 2
void cancel_on_signals_too(struct ferry_link *link, int i);

/* Before they are closed. */
void cancel_forget(void);

/*
 * The same, when more is to be waited for that is no link yet: a signal ends the
 * process at once from now on, until there is a target again.  One that came before
 * has been caught: look at cancelled().
 */
void cancel_stop(void);

bool cancelled(void);

/*
 * Wait until `fd` can be read: 0, or -ECANCELED when a signal came, whichever thread
 * it came to.  A process that fork() made inherits what ends the wait, so it is for
 * those who install it after that.
 */
int cancel_wait_readable(int fd);
int cancel_wait_writable(int fd);

/* The same, but at most `ns`; -1: for ever. `fd` -1: nothing, only the time. */
int cancel_wait(int fd, int64_t ns);

/* End by the signal that came; or return `status` when none did. */
int cancel_finish(int status);

#endif
