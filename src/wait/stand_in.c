/* SPDX-License-Identifier: MIT */
/* See stand_in.h. */
#include "wait/stand_in.h"

#include <errno.h>

#include "realm/realm.h"
#include "sys/files.h"
#include "sys/ready.h"

int ferryi_stand_in_new(struct ferryi_stand_in *s, bool may_thread)
{
	int r;

	*s = (struct ferryi_stand_in){ .told = ferryi_eventfd(),
				       .ring = { .fd = -1 },
				       .may_thread = may_thread };
	if (s->told < 0)
		return s->told;
	r = ferryi_uring_new(&s->ring, s->told);
	if (r < 0 && r != -EMFILE && r != -ENFILE && may_thread)
		r = ferryi_helped_new(&s->helped, s->told);
	if (r < 0)
		ferryi_stand_in_free(s, true);
	else
		ferryi_eventfd_clear(s->told);
	return r;
}

void ferryi_stand_in_free(struct ferryi_stand_in *s, bool is_ours)
{
	if (s->helped && is_ours)
		ferryi_helped_free(s->helped);
	ferryi_uring_free(&s->ring);
	if (s->told >= 0)
		ferryi_close(s->told);
	s->told = -1;
	s->helped = NULL;
}

static struct ferryi_futex epoch_of(const struct ferryi_wait *w)
{
	return (struct ferryi_futex){
		&ferryi_realm_registry(w->realm)->control->epoch, w->epoch
	};
}

/* All words are compared once more by the kernel, as by an ordinary sleeper's. */
static int sleep_by_ring(struct ferryi_stand_in *s, const struct ferryi_wait *w)
{
	struct ferryi_futex f[FERRYI_WAIT_WORDS + 1];
	unsigned n = 0;

	for (; n < w->n_words; n++)
		f[n] = (struct ferryi_futex){ w->words[n].addr,
					      w->words[n].expected };
	if (w->realm)
		f[n++] = epoch_of(w);
	return ferryi_uring_sleep(&s->ring, f, n);
}

/* Those that are woken. */
static int sleep_by_thread(struct ferryi_stand_in *s,
			   const struct ferryi_wait *w)
{
	struct ferryi_futex f[FERRYI_HELPED_WORDS] = {
		{ w->words[0].addr, w->words[0].expected }
	};

	if (w->realm)
		f[1] = epoch_of(w);
	ferryi_helped_sleep(s->helped, f, w->realm ? 2 : 1);
	return 0;
}

int ferryi_stand_in_sleep(struct ferryi_stand_in *s,
			  const struct ferryi_wait *w)
{
	int r;

	if (w->n_words == 0)
		return 0;
	if (s->helped)
		return sleep_by_thread(s, w);
	r = sleep_by_ring(s, w);
	if (r == 0 || r == -EAGAIN || !s->may_thread)
		return r;
	r = ferryi_helped_new(&s->helped, s->told);
	return r < 0 ? r : sleep_by_thread(s, w);
}

void ferryi_stand_in_stop(struct ferryi_stand_in *s)
{
	if (s->helped)
		ferryi_helped_stop(s->helped);
	else
		ferryi_uring_stop(&s->ring);
	ferryi_eventfd_clear(s->told);
}
