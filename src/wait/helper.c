/* SPDX-License-Identifier: MIT */
/*
 * See helper.h.
 *
 * The thread never reads a word of a link: the link may close, and its memory be
 * unmapped, between any two steps.  It is the kernel that compares them, for all
 * sleeps at once; when that says only that one of them differs, one by one.
 */
#include "wait/helper.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "sys/clock.h"
#include "sys/ready.h"
#include "sys/thread.h"

struct helper {
	struct helper *next;
	struct ferryi_helped *sleeps[FERRYI_HELPED];
	unsigned n;
	uint32_t changed; /* + 1 with each change of the sleeps */
	bool ends;
	pthread_t thread;
};

struct ferryi_helped {
	struct helper *by;
	int told;
	struct ferryi_futex words[FERRYI_HELPED_WORDS];
	unsigned n; /* 0: it does not sleep */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct helper *helpers;

/* What the parent had is forgotten with its threads. */
static void in_child(void)
{
	pthread_mutex_init(&lock, NULL);
	helpers = NULL;
}

static void prepare(void)
{
	pthread_atfork(NULL, NULL, in_child);
}

/* --- the thread -------------------------------------------------------------- */

static unsigned collect(struct helper *h, struct ferryi_futex *f,
			struct ferryi_helped **whose)
{
	unsigned n = 1;

	f[0] = (struct ferryi_futex){ &h->changed, h->changed };
	for (unsigned i = 0; i < h->n; i++)
		for (unsigned k = 0; k < h->sleeps[i]->n; k++) {
			whose[n] = h->sleeps[i];
			f[n++] = h->sleeps[i]->words[k];
		}
	return n;
}

static void tell(struct ferryi_helped *s)
{
	s->n = 0;
	ferryi_eventfd_set(s->told);
}

/* Asked by a sleep that is over at once; also of a word that is not there. */
static bool differs(const struct ferryi_futex *f)
{
	int r = ferryi_futex_wait(f, 1, 0);

	return r != -ETIMEDOUT && r != -EINTR;
}

static void tell_those_that_differ(struct helper *h)
{
	for (unsigned i = 0; i < h->n; i++)
		for (unsigned k = 0; k < h->sleeps[i]->n; k++)
			if (differs(&h->sleeps[i]->words[k]))
				tell(h->sleeps[i]);
}

/* Without futex_waitv it naps, and hears only of its own word. */
static int sleep_on(const struct ferryi_futex *f, unsigned n)
{
	if (ferryi_futex_has_waitv() || n == 1)
		return ferryi_futex_wait(f, n, INT64_MAX);
	ferryi_futex_wait(f, 1, ferryi_now() + FERRYI_FUTEX_NAP);
	return -EAGAIN;
}

static void *run(void *arg)
{
	struct ferryi_futex f[1 + FERRYI_HELPED * FERRYI_HELPED_WORDS];
	struct ferryi_helped *whose[1 + FERRYI_HELPED * FERRYI_HELPED_WORDS];
	struct helper *h = arg;
	uint32_t seen;
	unsigned n;
	int r;

	pthread_mutex_lock(&lock);
	while (!h->ends) {
		n = collect(h, f, whose);
		seen = h->changed;
		pthread_mutex_unlock(&lock);
		r = sleep_on(f, n);
		pthread_mutex_lock(&lock);
		/* of several that are woken at once one is named; the others
		 * differ from then on */
		if (r > 0 && seen == h->changed)
			tell(whose[r]);
		else if (r < 0 && r != -EINTR)
			tell_those_that_differ(h);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

_Static_assert(1 + FERRYI_HELPED * FERRYI_HELPED_WORDS <= FERRYI_WAITV_MAX, "");

/* --- what it does ------------------------------------------------------------ */

/* Under the lock. */
static void change(struct helper *h)
{
	__atomic_store_n(&h->changed, h->changed + 1, __ATOMIC_SEQ_CST);
	ferryi_futex_wake(&h->changed, 1);
}

static struct helper *one_with_room(int *out_err)
{
	struct helper *h;

	for (h = helpers; h; h = h->next)
		if (h->n < FERRYI_HELPED)
			return h;
	h = calloc(1, sizeof *h);
	*out_err = h ? ferryi_thread_start(&h->thread, run, h) : -ENOMEM;
	if (*out_err < 0) {
		free(h);
		return NULL;
	}
	h->next = helpers;
	helpers = h;
	return h;
}

int ferryi_helped_new(struct ferryi_helped **out, int told)
{
	struct ferryi_helped *s = calloc(1, sizeof *s);
	int r = -ENOMEM;

	if (!s)
		return r;
	pthread_once(&once, prepare);
	s->told = told;
	pthread_mutex_lock(&lock);
	s->by = one_with_room(&r);
	if (s->by)
		s->by->sleeps[s->by->n++] = s;
	pthread_mutex_unlock(&lock);
	if (!s->by) {
		free(s);
		return r;
	}
	*out = s;
	return 0;
}

void ferryi_helped_sleep(struct ferryi_helped *s, const struct ferryi_futex *f,
			 unsigned n)
{
	pthread_mutex_lock(&lock);
	s->n = n < FERRYI_HELPED_WORDS ? n : FERRYI_HELPED_WORDS;
	for (unsigned i = 0; i < s->n; i++)
		s->words[i] = f[i];
	change(s->by);
	pthread_mutex_unlock(&lock);
}

void ferryi_helped_stop(struct ferryi_helped *s)
{
	pthread_mutex_lock(&lock);
	if (s->n) {
		s->n = 0;
		change(s->by);
	}
	pthread_mutex_unlock(&lock);
}

/* Nobody sleeps by it any more: under the lock. */
static void drop(struct helper *h)
{
	struct helper **at = &helpers;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	h->ends = true;
}

void ferryi_helped_free(struct ferryi_helped *s)
{
	struct helper *h = s->by;
	unsigned i = 0;
	bool ends;

	pthread_mutex_lock(&lock);
	while (h->sleeps[i] != s)
		i++;
	h->sleeps[i] = h->sleeps[--h->n];
	ends = h->n == 0;
	if (ends)
		drop(h);
	change(h);
	pthread_mutex_unlock(&lock);
	if (ends) {
		ferryi_thread_join(h->thread);
		free(h);
	}
	free(s);
}
