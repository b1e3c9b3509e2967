/* SPDX-License-Identifier: MIT */
/* Signals of a verb that waits: see cancel.h. */
#include "cancel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
#define N_SIGNALS (sizeof signals / sizeof signals[0])

static volatile sig_atomic_t caught;
static struct ferry_link *_Atomic targets[CANCEL_MAX];
static bool installed;
static struct sigaction before[N_SIGNALS];

/*
 * Readable from the first signal on, and for ever: the handler runs in one thread, and
 * a wait of any other one must end as well.  -1: there is none.
 */
static int woken = -1;

static void on_signal(int signal)
{
	static const uint64_t one = 1;
	int saved = errno;

	caught = signal;
	for (int i = 0; i < CANCEL_MAX; i++) {
		struct ferry_link *link = atomic_load(&targets[i]);

		if (link)
			ferry_cancel(link);
	}
	if (woken >= 0)
		(void)!write(woken, &one, sizeof one); /* full: readable, too */
	errno = saved;
}

void cancel_on_signals(struct ferry_link *link)
{
	cancel_on_signals_too(link, 0);
}

void cancel_on_signals_too(struct ferry_link *link, int i)
{
	struct sigaction ours = { .sa_handler = on_signal };

	atomic_store(&targets[i], link);
	if (link && caught) /* when there was none */
		ferry_cancel(link);
	if (installed)
		return;
	installed = true;
	if (woken < 0)
		woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t i = 0; i < N_SIGNALS; i++) {
		sigaction(signals[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &ours, NULL);
	}
}

void cancel_forget(void)
{
	for (int i = 0; i < CANCEL_MAX; i++)
		atomic_store(&targets[i], NULL);
}

/* Not on_signal() without a target: that would be a signal that nobody hears. */
void cancel_stop(void)
{
	for (size_t i = 0; installed && i < N_SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
	installed = false;
	cancel_forget();
}

bool cancelled(void)
{
	return caught;
}

int cancel_wait_readable(int fd)
{
	return cancel_wait(fd, -1);
}

static int wait_for(int fd, short events, int64_t ns)
{
	struct timespec most = { .tv_sec = ns / FERRY_S(1),
				 .tv_nsec = ns % FERRY_S(1) };
	struct pollfd p[] = { { .fd = fd, .events = events },
			      { .fd = woken, .events = POLLIN } };
	sigset_t blocked, before;
	int n = -1;

	/* Blocked between the look at `caught` and the sleep, or a signal in
	 * between would be seen only after the next byte.  One that another
	 * thread handles there is seen by `woken`. */
	sigemptyset(&blocked);
	for (size_t i = 0; i < N_SIGNALS; i++)
		sigaddset(&blocked, signals[i]);
	pthread_sigmask(SIG_BLOCK, &blocked, &before);
	while (!caught && n < 0) {
		n = ppoll(p, 2, ns < 0 ? NULL : &most, &before);
		if (n < 0 && errno != EINTR)
			n = 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return caught ? -ECANCELED : 0;
}

int cancel_wait(int fd, int64_t ns)
{
	return wait_for(fd, POLLIN, ns);
}

int cancel_wait_writable(int fd)
{
	return wait_for(fd, POLLOUT, -1);
}

int cancel_finish(int status)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };

	if (!caught)
		return status;
	sigaction(caught, &standard, NULL);
	raise(caught);
	return 128 + caught;
}
