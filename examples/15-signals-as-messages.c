/* SPDX-License-Identifier: MIT */
/*
 * Signals as messages: from a child, from the kernel when the child ends, and from a
 * timer, received one after the other where the program wants them.
 *
 *	cc 15-signals-as-messages.c $(pkg-config --cflags --libs ferry)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <ferry.h>

static void need(struct ferry_link *link, int err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* A number to the parent, by a signal that queues. */
static void child(pid_t parent)
{
	struct ferry_link *l;
	char address[64];
	int32_t value = 42;

	snprintf(address, sizeof address, "signal:%d?signal=RTMIN+1", parent);
	need(NULL, ferry_open(&l, address, FERRY_SEND), "open");
	need(l, ferry_send(l, &value, sizeof value, FERRY_FOREVER), "send");
	exit(7);
}

static void set_timer(void)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGALRM,
			      .sigev_value.sival_int = 5 };
	struct itimerspec in = { .it_value.tv_nsec = 1000000 };
	timer_t timer;

	timer_create(CLOCK_MONOTONIC, &e, &timer);
	timer_settime(timer, 0, &in, NULL);
}

static struct ferry_signal next(struct ferry_link *l, pid_t pid)
{
	char name[FERRY_SIGNAL_NAME_MAX];
	struct ferry_message m;
	struct ferry_signal s;

	need(l, ferry_take(l, &m, ferry_after(FERRY_S(5))), "take");
	s = *(struct ferry_signal *)m.data;
	ferry_signal_name(s.number, name);
	printf("%s, %s by the kernel%s\n", name,
	       m.sender.proof == FERRY_KERNEL ? "vouched for" :
						"not vouched for",
	       s.pid == pid ? ", about my child" : "");
	ferry_release(&m);
	return s;
}

int main(void)
{
	struct ferry_link *first, *last;
	pid_t pid;

	/* Before any thread is started: they inherit what is blocked. */
	need(NULL,
	     ferry_open(&first, "signal:self?signals=RTMIN+1,ALRM", FERRY_RECV),
	     "open");
	need(NULL, ferry_open(&last, "signal:self?signals=CHLD", FERRY_RECV),
	     "open");
	if ((pid = fork()) == 0)
		child(getppid());
	printf("value %d\n", next(first, pid).value);
	printf("status %d\n", next(last, pid).status);
	set_timer();
	printf("value %d\n", next(first, pid).value);
	ferry_close(first);
	ferry_close(last);
	return waitpid(pid, NULL, 0) != pid;
}
