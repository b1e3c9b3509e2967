/* SPDX-License-Identifier: MIT */
/*
 * Signals as messages: links to signal:PID, signal:-GROUP, signal:NAME and
 * signal:self.
 *
 * Opened for FERRY_RECV, signal:self?signals=USR1,RTMIN+1,CHLD receives those signals
 * of this process.  They are blocked in the thread that opens it, and in threads that
 * it starts later, until it closes the link; so open it before other threads are
 * started.  What has come and was not received by then is dropped, and what was
 * blocked before stays blocked.  A program that is executed meanwhile inherits the
 * blocked signals.
 *
 * A message that is received is one struct ferry_signal; its type is the number of the
 * signal.  Its sender is vouched for by the kernel where that can be
 * (message.sender.proof): signals of kill(2), and of the kernel itself.  What has a
 * negative code other than that of tkill(2) says what the sending process claims.
 *
 * Opened for FERRY_SEND: the type of a message is the number of the signal, or 0 for
 * the one that ?signal= names, TERM without it.  An empty message is a plain signal;
 * 4 bytes, an int, or 8 bytes, a pointer's worth, are a value that goes along.  The
 * process is the one that had the pid or the name when the link was opened: a pid that
 * is used again is not hit.
 *
 * Signals of the same number below RTMIN that have not been received are one signal;
 * those from RTMIN on queue, up to the receiver's RLIMIT_SIGPENDING, and then a send
 * waits.
 */
#ifndef FERRY_SIGNAL_H
#define FERRY_SIGNAL_H

#include <sys/types.h>
#include <ferry/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a signal comes from, as its code says. */
enum ferry_signal_origin {
	FERRY_FROM_PROCESS, /* kill, sigqueue, tkill: `pid` and `uid` */
	FERRY_FROM_KERNEL,  /* a terminal's key, a limit, a hang-up ... */
	FERRY_FROM_CHILD,   /* `pid` has ended, stopped or gone on: `status` */
	FERRY_FROM_TIMER,   /* timer_create: `value`, `overrun` */
	FERRY_FROM_QUEUE,   /* mq_notify: `value` */
	FERRY_FROM_IO, /* a descriptor is ready, or asynchronous I/O done */
};

struct ferry_signal {
	int32_t number;
	int32_t code;	/* si_code of sigaction(2) */
	int32_t origin; /* enum ferry_signal_origin */
	pid_t pid;	/* 0: of no process, or of a foreign pid namespace */
	uid_t uid;
	int32_t status;	  /* of a child: exit status, or the signal's number */
	int32_t value;	  /* sival_int */
	uint32_t overrun; /* of a timer: how many expirations were missed */
	uint64_t wide;	  /* sival_ptr: all bytes of the value */
	uint64_t reserved[3];
};

#define FERRY_SIGNAL_NAME_MAX 16

/*
 * The number of "USR1", "SIGUSR1", "RTMIN+1", "RTMAX-2" or "10".  -EINVAL: there is
 * none of that name.
 */
FERRY_API int ferry_signal_number(const char *name);

/* The name, without SIG: "USR1", "RTMIN+1".  Its length.  -EINVAL: it is no signal. */
FERRY_API int ferry_signal_name(int number, char out[FERRY_SIGNAL_NAME_MAX]);

#ifdef __cplusplus
}
#endif
#endif
