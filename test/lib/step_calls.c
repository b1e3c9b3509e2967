/* SPDX-License-Identifier: MIT */
/*
 * PTRACE_SYSCALL: a victim stops when it enters a system call and when it returns
 * from it.  Killed at the first of the two it has not made the call.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "look.h"
#include "step.h"

#define AT_CALL (SIGTRAP | 0x80) /* PTRACE_O_TRACESYSGOOD */

/* The signal with which it stops; 0: it has ended; -1: neither within `seconds`. */
static int await_stop(struct stepper *s, double seconds)
{
	struct look_limit limit = look_limit(seconds);
	int status, tries = 0;
	pid_t pid;

	while ((pid = waitpid(s->pid, &status, WNOHANG)) == 0)
		if (look_is_over(&limit))
			return -1;
		else if (++tries > 50)
			look_pause_us(50);
	return pid == s->pid && WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

static void note_call(struct stepper *s)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, s->pid, sizeof info, &info) <= 0)
		return;
	s->returned = info.op == PTRACE_SYSCALL_INFO_EXIT;
	if (!s->returned)
		s->call = (long)info.entry.nr;
}

enum step_result step_to_stop(struct stepper *s, long k, double seconds)
{
	long sig = 0;

	ptrace(PTRACE_SETOPTIONS, s->pid, NULL, PTRACE_O_TRACESYSGOOD);
	for (;;) {
		ptrace(PTRACE_SYSCALL, s->pid, NULL, sig);
		sig = await_stop(s, seconds);
		if (sig <= 0)
			return sig < 0 ? STEP_BLOCKED : STEP_GONE;
		if (s->marks->done)
			return STEP_DONE;
		if (sig != AT_CALL)
			continue; /* with this signal */
		sig = 0;
		if (!s->marks->begun)
			continue;
		note_call(s);
		if (s->steps++ == k)
			return STEP_REACHED;
	}
}

const char *step_to_stop_unsupported(void)
{
	struct stepper s = { 0 };
	struct step_marks m = { 0 };
	pid_t pid = fork();
	bool stops;

	if (pid == 0) {
		step_trace_me();
		for (;;)
			getppid();
	}
	stops = step_attach(&s, pid, &m);
	m.begun = 1;
	stops = stops && step_to_stop(&s, 1, 5) == STEP_REACHED;
	step_kill(&s);
	return stops ? NULL :
		       "this machine does not let system calls be traced";
}
