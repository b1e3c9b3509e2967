/* SPDX-License-Identifier: MIT */
/*
 * Sleeping, see wait.h; and the part of a sleeper in noticing deaths.
 *
 * Who sleeps on words watches, besides its own, the realm's `epoch` (somebody
 * has repaired something: look again) and `death` (the kernel has rung for a
 * killed process: this one looks at the leases).  Three things that a sleeper
 * owes to the others:
 *
 *   - The bell rings before the kernel drops the dead one's locks.  So after a
 *     bell the sleeper is suspicious: it looks, sleeps 1, 2, 4 .. 128 ms, and
 *     looks again, until a whole round has found nobody, and nobody who is on
 *     its way out.  When its call ends before that, it rings the bell for
 *     another sleeper.
 *   - A bell that rang while nobody slept is lost.  So the first two sleeps of a
 *     call are short, each followed by a look, unless somebody else has looked
 *     in the second half of that sleep.
 *   - The safety net: one sleeper of the realm, elected among those that have
 *     slept that long, looks once per period; the others sleep without limit.
 *     Where nobody sleeps that long, who lies down looks when nobody has for
 *     two periods.
 */
#include "wait/wait.h"

#include <errno.h>
#include <limits.h>

#include "realm/realm.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/futex.h"
#include "sys/process.h"
#include "sys/ready.h"
#include "wait/knob.h"

#define FIRST_LOOK     FERRY_MS(10)
#define SECOND_LOOK    FERRY_MS(100)
#define SUSPICION_FROM FERRY_MS(1)
#define SUSPICION_TO   FERRY_MS(128)
#define NAPPING_LOOK   FERRY_MS(100) /* between looks without futex_waitv */

/* A look at n leases costs n^2: the kernel's list of locks is linear.  So what
 * it took says how rare the next ones are: the net takes 1/2000 of a CPU. */
#define NET_RARITY    2000
#define FIRST_RARITY  16
#define SECOND_RARITY 160
#define LOOK_MOST_US  100000u /* more is somebody's stray write */

#define OWN_WORDS 4 /* cancel, epoch, net, death */

void ferryi_wait_begin(struct ferryi_wait *w)
{
	w->n_words = 0;
	w->n_fds = 0;
	w->tick = FERRY_FOREVER;
	w->realm = NULL;
}

void ferryi_wait_word(struct ferryi_wait *w, uint32_t *addr, uint32_t expected)
{
	if (w->n_words < FERRYI_WAIT_WORDS)
		w->words[w->n_words++] = (struct ferryi_word){ addr, expected };
}

void ferryi_wait_fd(struct ferryi_wait *w, int fd, short events)
{
	if (w->n_fds < FERRYI_WAIT_FDS)
		w->fds[w->n_fds++] = (struct ferryi_poll){ fd, events };
}

void ferryi_wait_tick(struct ferryi_wait *w, ferry_time at)
{
	if (at < w->tick)
		w->tick = at;
}

int ferryi_wait_check(const struct ferryi_wait *w)
{
	if (w->cancel &&
	    __atomic_load_n(&w->cancel->word, __ATOMIC_SEQ_CST) != 0)
		return -ECANCELED;
	if (w->deadline == FERRY_NOWAIT)
		return -EAGAIN;
	if (w->deadline != FERRY_FOREVER && ferryi_now() >= w->deadline)
		return -ETIMEDOUT;
	return 0;
}

/* --- spinning ------------------------------------------------------------ */

#define LOOKS_PER_CLOCK 4u /* the clock costs as much as a look */
#define GLANCES		16u
#define SPUN		INT64_MAX

/* A pause, or glances until there is something; not for long, since deadline and
 * cancel want to be seen, too. */
static void look_on(struct ferryi_wait *w)
{
	unsigned n = GLANCES;

	do
		ferryi_spin_relax();
	while (w->glance && --n && !w->glance(w->glance_of));
}

bool ferryi_wait_spin(struct ferryi_wait *w)
{
	int64_t ns;

	if (!w->spin || w->spin_until == SPUN)
		return false;
	if (w->spin_until == 0) {
		ns = ferryi_spin_begin(w->spin, ferryi_knob_spin());
		w->began = ferryi_now();
		w->spin_until = ns ? w->began + ns : SPUN;
		if (ns == 0)
			return false;
	} else if (++w->spins % LOOKS_PER_CLOCK == 0 &&
		   ferryi_now() >= w->spin_until) {
		ferryi_spin_end(w->spin, false);
		w->spin_until = SPUN;
		return false;
	}
	look_on(w);
	return true;
}

static void learn(struct ferryi_wait *w, bool found)
{
	int64_t reach = FERRYI_SPIN_REACH * ferryi_knob_spin();

	if (!w->spin || w->spin_until == 0)
		return;
	if (w->spin_until != SPUN)
		ferryi_spin_end(w->spin, found);
	else if (found && w->slept)
		ferryi_spin_slept(w->spin, ferryi_now() - w->began < reach);
}

/* --- the safety net ----------------------------------------------------- */

static struct ferryi_registry_control *control_of(const struct ferryi_wait *w)
{
	return ferryi_realm_registry(w->realm)->control;
}

static void try_elect(struct ferryi_wait *w)
{
	if (!w->elected && ferryi_knob_net() > 0)
		w->elected = ferryi_cas32(&control_of(w)->net, 0,
					  ferryi_realm_owner(w->realm) + 1);
}

static void resign(struct ferryi_wait *w)
{
	uint32_t *net = &control_of(w)->net;

	w->elected = false;
	if (ferryi_cas32(net, ferryi_realm_owner(w->realm) + 1, 0))
		ferryi_futex_wake(net, 1);
}

/* --- looking for the dead ----------------------------------------------- */

/* True: somebody is dying whose locks are still held. */
static bool look(struct ferryi_wait *w)
{
	bool ending;

	if (ferryi_realm_look(w->realm, &ending) > 0 && w->suspicion)
		w->suspicion = SUSPICION_FROM; /* there may be more of them */
	return ending;
}

/* Somebody has looked after `at`: the bells before it are not ours to make up
 * for.  A time in the future is somebody's stray write. */
static bool looked_after(const struct ferryi_wait *w, ferry_time at)
{
	int64_t looked_at = ferryi_load(&control_of(w)->looked_at);

	return looked_at > at && looked_at <= ferryi_now();
}

static int64_t at_least(struct ferryi_wait *w, int64_t least, int64_t rarity)
{
	uint32_t us = ferryi_fetch(&control_of(w)->look_us);
	int64_t ns = FERRY_US(us < LOOK_MOST_US ? us : LOOK_MOST_US) * rarity;

	return ns > least ? ns : least;
}

static int64_t net_period(struct ferryi_wait *w)
{
	return at_least(w, ferryi_knob_net(), NET_RARITY);
}

static void look_when_overdue(struct ferryi_wait *w, ferry_time now)
{
	if (ferryi_knob_net() > 0 && !looked_after(w, now - 2 * net_period(w)))
		ferryi_realm_glance(w->realm);
}

static ferry_time next_look(struct ferryi_wait *w, ferry_time now)
{
	if (w->suspicion)
		return now + w->suspicion;
	if (w->looks == 0)
		return now + at_least(w, FIRST_LOOK, FIRST_RARITY);
	if (w->looks == 1)
		return now + at_least(w, SECOND_LOOK, SECOND_RARITY);
	try_elect(w);
	return w->elected ? now + net_period(w) : FERRY_FOREVER;
}

/*
 * The sleep ended by itself at the time of the next look.  A look of somebody
 * else spares this one when it came `after` half the sleep: one soon after its
 * begin may have found the lock of one killed before still held.
 */
static void look_after_sleep(struct ferryi_wait *w, ferry_time after)
{
	bool ending;

	if (w->suspicion) {
		ending = look(w);
		if (w->suspicion < SUSPICION_TO)
			w->suspicion *= 2;
		else if (!ending)
			w->suspicion = 0;
		return;
	}
	if (w->looks < 2) {
		w->looks++;
		if (!looked_after(w, after) && look(w))
			w->suspicion = SUSPICION_FROM;
		return;
	}
	if (w->elected)
		ferryi_realm_glance(w->realm);
}

/* Without futex_waitv no bell is heard: every nap may be the one. */
static void look_while_napping(struct ferryi_wait *w)
{
	if (!looked_after(w, ferryi_now() - NAPPING_LOOK))
		look(w);
}

/* --- sleeping ----------------------------------------------------------- */

static unsigned collect(const struct ferryi_wait *w, struct ferryi_futex *f)
{
	struct ferryi_registry_control *c;
	unsigned n = 0;
	uint32_t net;

	for (; n < w->n_words; n++)
		f[n] = (struct ferryi_futex){ w->words[n].addr,
					      w->words[n].expected };
	if (w->cancel)
		f[n++] = (struct ferryi_futex){ &w->cancel->word, 0 };
	if (!w->realm)
		return n;
	c = control_of(w);
	f[n++] = (struct ferryi_futex){ &c->epoch, w->epoch };
	net = ferryi_load(&c->net);
	if (w->looks >= 2 && !w->elected && net != 0)
		f[n++] = (struct ferryi_futex){ &c->net, net };
	/* last: the kernel reports the highest index that was woken */
	f[n++] = (struct ferryi_futex){ &c->death, 0 };
	return n;
}

/* Somebody wrote to the bell: nobody can sleep on it until it is 0 again. */
static bool bell_is_damaged(const struct ferryi_wait *w)
{
	return ferryi_load(&control_of(w)->death) != 0;
}

static int sleep_on_words(struct ferryi_wait *w)
{
	struct ferryi_futex f[FERRYI_WAIT_WORDS + OWN_WORDS];
	ferry_time now = ferryi_now(), until = w->deadline, at = FERRY_FOREVER;
	unsigned n;
	int r;

	if (w->realm) {
		look_when_overdue(w, now);
		at = next_look(w, now);
	}
	until = at < until ? at : until;
	until = w->tick < until ? w->tick : until;
	n = collect(w, f);
	w->slept = true;
	r = ferryi_futex_wait(f, n, until);
	if (!w->realm)
		return 0;
	if (r == (int)n - 1) /* the bell; the first sleep after it is short */
		w->suspicion = SUSPICION_FROM;
	if (r == (int)n - 1 || (r == -EAGAIN && bell_is_damaged(w)))
		look(w); /* it heals the word, too */
	else if (r == -ETIMEDOUT && until == at)
		look_after_sleep(w, now + (at - now) / 2);
	else if (!ferryi_futex_has_waitv())
		look_while_napping(w);
	return 0;
}

static int sleep_on_fds(struct ferryi_wait *w)
{
	struct pollfd fds[FERRYI_WAIT_FDS + 1];
	ferry_time until = w->deadline < w->tick ? w->deadline : w->tick;
	unsigned n;
	int r;

	for (n = 0; n < w->n_fds; n++)
		fds[n] = (struct pollfd){ w->fds[n].fd, w->fds[n].events, 0 };
	if (w->cancel && w->cancel->fd >= 0)
		fds[n++] = (struct pollfd){ w->cancel->fd, POLLIN, 0 };
	w->slept = true;
	r = ferryi_poll(fds, n, until);
	return r < 0 && r != -EINTR ? r : 0;
}

int ferryi_wait_sleep(struct ferryi_wait *w)
{
	int r = ferryi_wait_check(w);

	if (r < 0)
		return r;
	return w->n_words ? sleep_on_words(w) : sleep_on_fds(w);
}

void ferryi_wait_end(struct ferryi_wait *w, ssize_t result)
{
	learn(w, result != -ETIMEDOUT && result != -ECANCELED);
	if (!w->realm)
		return;
	if (w->elected)
		resign(w);
	if (w->suspicion)
		ferryi_futex_wake(&control_of(w)->death, 1);
}

/* --- for an event loop ---------------------------------------------------- */

/* What a sleeper knows of the dead, as if the call slept that has come. */
static void recall(struct ferryi_wait *w, const struct ferryi_doze *d)
{
	ferryi_wait_init(w, FERRY_FOREVER, NULL);
	w->realm = d->realm;
	w->looks = d->looks;
	w->suspicion = d->suspicion;
}

static void remember(struct ferryi_doze *d, const struct ferryi_wait *w)
{
	d->looks = w->looks;
	d->suspicion = w->suspicion;
}

static ferry_time next_turn(struct ferryi_wait *w, ferry_time now)
{
	if (ferryi_knob_net() == 0)
		return FERRY_FOREVER;
	return ferryi_realm_turn(w->realm, now, net_period(w));
}

void ferryi_doze_begin(struct ferryi_doze *d, struct ferryi_wait *w)
{
	ferry_time now, early = FERRY_FOREVER;
	struct ferryi_wait mine;

	if (d->realm != w->realm) {
		ferryi_doze_fini(d);
		d->realm = w->realm;
		if (d->realm)
			ferryi_realm_pollers(d->realm, 1);
	}
	if (!d->realm)
		return;
	recall(&mine, d);
	now = ferryi_now();
	if (!d->since)
		d->since = now;
	if (!d->turn)
		d->turn = next_turn(&mine, now);
	if (d->suspicion || d->looks < 2)
		early = next_look(&mine, d->since);
	d->look_at = early < d->turn ? early : d->turn;
	ferryi_wait_tick(w, d->look_at);
}

void ferryi_doze_end(struct ferryi_doze *d)
{
	ferry_time now = ferryi_now();
	struct ferryi_wait w;

	if (!d->realm || now < d->look_at || (!d->since && now < d->turn))
		return;
	recall(&w, d);
	if (now < d->turn) {
		look_after_sleep(&w, d->since + (d->look_at - d->since) / 2);
	} else {
		if (!looked_after(&w, now - net_period(&w)) && look(&w))
			w.suspicion = SUSPICION_FROM;
		d->turn = 0;
	}
	d->since = 0;
	remember(d, &w);
}

void ferryi_doze_reset(struct ferryi_doze *d)
{
	d->looks = 0;
	d->since = 0;
}

void ferryi_doze_fini(struct ferryi_doze *d)
{
	struct ferryi_wait w;

	if (!d->realm)
		return;
	recall(&w, d);
	if (w.suspicion)
		ferryi_futex_wake(&control_of(&w)->death, 1);
	ferryi_realm_pollers(d->realm, -1);
	*d = (struct ferryi_doze){ 0 };
}

/* --- cancelling --------------------------------------------------------- */

int ferryi_cancel_init(struct ferryi_cancel *c, bool with_fd)
{
	c->word = 0;
	c->fd = with_fd ? ferryi_eventfd() : -1;
	c->generation = ferryi_generation();
	return with_fd && c->fd < 0 ? c->fd : 0;
}

void ferryi_cancel_fini(struct ferryi_cancel *c)
{
	ferryi_close(c->fd);
	c->fd = -1;
}

static bool has_own_fd(const struct ferryi_cancel *c)
{
	return __atomic_load_n(&c->fd, __ATOMIC_SEQ_CST) >= 0 &&
	       c->generation == ferryi_generation();
}

/*
 * Make the descriptor say what the word says.  The word is looked at behind each
 * change: a cancel or a resume that comes in between has stored its word before that
 * look, or settles after it.
 */
static void settle(struct ferryi_cancel *c)
{
	uint32_t word;

	do {
		word = __atomic_load_n(&c->word, __ATOMIC_SEQ_CST);
		if (word)
			ferryi_eventfd_set(c->fd);
		else
			ferryi_eventfd_clear(c->fd);
	} while (__atomic_load_n(&c->word, __ATOMIC_SEQ_CST) != word);
}

/* Either the cancel sees the descriptor, or this sees the cancel. */
int ferryi_cancel_need_fd(struct ferryi_cancel *c)
{
	int fd, none = -1;

	if (__atomic_load_n(&c->fd, __ATOMIC_SEQ_CST) >= 0)
		return 0;
	fd = ferryi_eventfd();
	if (fd < 0)
		return fd;
	if (!__atomic_compare_exchange_n(&c->fd, &none, fd, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		ferryi_close(fd);
	else
		settle(c);
	return 0;
}

void ferryi_cancel_set(struct ferryi_cancel *c)
{
	__atomic_store_n(&c->word, 1, __ATOMIC_SEQ_CST);
	if (has_own_fd(c))
		settle(c);
	ferryi_futex_wake(&c->word, INT_MAX); /* turns are words everywhere */
}

void ferryi_cancel_clear(struct ferryi_cancel *c)
{
	__atomic_store_n(&c->word, 0, __ATOMIC_SEQ_CST);
	if (has_own_fd(c))
		settle(c);
}

#define RENEWING                                                               \
	0x80000000u /* in `generation`: a thread of that process does it */

/* 0: it is ours; 1: it is to be renewed, by this thread. */
static int claim_renewal(struct ferryi_cancel *c, uint32_t me, uint32_t *was)
{
	struct ferryi_futex f = { &c->generation, me | RENEWING };

	for (;;) {
		*was = __atomic_load_n(&c->generation, __ATOMIC_SEQ_CST);
		if (*was == me)
			return 0;
		if (*was == (me | RENEWING))
			ferryi_futex_wait(&f, 1, FERRY_FOREVER);
		else if (__atomic_compare_exchange_n(
				 &c->generation, was, me | RENEWING, false,
				 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return 1;
	}
}

/*
 * The number of the descriptor stays: who cancels meanwhile, or has it in a set, need
 * not be told.  The generation comes after it and before the look at the word, so that
 * either the cancel sees its own descriptor, or this sees the cancel.
 */
int ferryi_cancel_renew(struct ferryi_cancel *c)
{
	uint32_t me = ferryi_generation(), was;
	int r = 0;

	if (!claim_renewal(c, me, &was))
		return 0;
	if (c->fd >= 0)
		r = ferryi_eventfd_renew(c->fd);
	__atomic_store_n(&c->generation, r < 0 ? was : me, __ATOMIC_SEQ_CST);
	ferryi_futex_wake(&c->generation, INT_MAX);
	if (r == 0 && c->fd >= 0)
		settle(c);
	return r;
}
