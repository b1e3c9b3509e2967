/* SPDX-License-Identifier: MIT */
/*
 * Addresses become links.  The address is understood and compared with what
 * the transport promises before anything is opened; *out is set last.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/call.h"
#include "link/framing.h"
#include "link/link.h"
#include "link/pollfd.h"
#include "wire/address.h"

#define DEFAULT_TIMEOUT FERRY_S(5)

/* --- one link ------------------------------------------------------------ */

int ferryi_link_inner(struct ferry_link **out, const struct ferryi_transport *t,
		      unsigned flags, const char *address)
{
	struct ferry_link *l = calloc(1, sizeof *l);

	if (!l)
		return ferryi_fail(-ENOMEM, "out of memory for a link");
	l->t = t;
	l->flags = flags;
	l->messages = t->messages;
	l->stream = t->stream;
	l->cancel.fd = -1;
	l->address = strdup(address);
	l->state = calloc(1, t->state_size ? t->state_size : 1);
	if (!l->address || !l->state) {
		ferryi_link_free(l);
		return ferryi_fail(-ENOMEM, "out of memory for a link");
	}
	*out = l;
	return 0;
}

int ferryi_link_new(struct ferry_link **out, const struct ferryi_transport *t,
		    unsigned flags, const char *address)
{
	struct ferry_link *l;
	int err = ferryi_link_inner(&l, t, flags, address);

	if (err)
		return err;
	err = ferryi_cancel_init(&l->cancel, !t->sleeps_on_words);
	if (err) {
		l->cancel.fd = -1;
		ferryi_link_free(l);
		return ferryi_fail(err,
				   "%s: no descriptor is left (raise "
				   "ulimit -n)",
				   address);
	}
	*out = l;
	return 0;
}

int ferryi_link_rename(struct ferry_link *l, const char *address)
{
	char *copy = strdup(address);

	if (!copy)
		return ferryi_fail(-ENOMEM, "out of memory for a link");
	free(l->address);
	l->address = copy;
	return 0;
}

void ferryi_link_free(struct ferry_link *l)
{
	if (!l)
		return;
	ferryi_polled_free(l->polled[0]); /* before what it watches goes */
	ferryi_polled_free(l->polled[1]);
	if (l->state && l->t->fini)
		l->t->fini(l);
	if (l->cancel.fd >= 0)
		ferryi_cancel_fini(&l->cancel);
	ferryi_framing_free(l->framing);
	free(l->state);
	free(l->address);
	free(l);
}

void ferry_close(struct ferry_link *l)
{
	ferryi_link_free(l);
}

/* --- what an address asks for -------------------------------------------- */

struct request {
	struct ferryi_address a;
	const struct ferryi_transport *t;
	char canonical[FERRYI_ADDRESS_MAX + 32];
	ferry_time deadline;
};

static int unknown_scheme(const char *scheme)
{
	char known[256] = "";
	size_t n = 0;

	for (unsigned i = 0; ferryi_transports[i] && n < sizeof known; i++)
		n += (size_t)snprintf(known + n, sizeof known - n,
				      "%s%s:", i ? " " : "",
				      ferryi_transports[i]->info.scheme);
	return ferryi_fail(-EINVAL, "%s: is no scheme (there are %s)", scheme,
			   known);
}

static const struct ferryi_transport *find(const char *scheme, size_t len)
{
	for (unsigned i = 0; ferryi_transports[i]; i++) {
		const char *name = ferryi_transports[i]->info.scheme;

		if (strlen(name) == len && memcmp(name, scheme, len) == 0)
			return ferryi_transports[i];
	}
	return NULL;
}

/* A scheme, or one that stands before another one and a '+'. */
static int find_transport(struct request *q)
{
	const char *scheme = q->a.scheme;
	size_t len = strcspn(scheme, "+");
	const struct ferryi_transport *t = find(scheme, len), *inner;

	if (!t || (scheme[len] && !t->over))
		return unknown_scheme(scheme);
	if (!t->over) {
		q->t = t;
		return 0;
	}
	inner = scheme[len] ? find(scheme + len + 1, strlen(scheme + len + 1)) :
			      NULL;
	if (!inner || inner->over)
		return ferryi_fail(-EINVAL,
				   "%s: needs one other scheme behind it "
				   "(write %s+unix:PATH)",
				   scheme, t->info.scheme);
	q->t = t->over(inner);
	return 0;
}

static int check_keys(struct request *q)
{
	const char *own = q->t->keys ? q->t->keys : "", *key;
	char known[256];

	snprintf(known, sizeof known, "%s%sframing max timeout", own,
		 *own ? " " : "");
	key = ferryi_address_unknown(&q->a, known);
	if (key)
		return ferryi_fail(-EINVAL, "%s: has no key '%s' (it has %s)",
				   q->t->info.scheme, key, known);
	return 0;
}

static int read_timeout(struct request *q)
{
	const char *text = ferryi_address_get(&q->a, "timeout");
	int64_t ns = DEFAULT_TIMEOUT;

	if (text && ferryi_parse_duration(text, &ns) != 0)
		return ferryi_fail(-EINVAL,
				   "timeout=%s is not a duration "
				   "(write 500ms or 2s)",
				   text);
	q->deadline = ferry_after(ns);
	return 0;
}

static int understand(struct request *q, const char *text)
{
	const char *why;
	int err;

	ferryi_fail_clear();
	if (!text)
		return ferryi_fail(-EINVAL, "there is no address (NULL)");
	if (ferryi_address_parse(&q->a, text, &why) != 0)
		return ferryi_fail(-EINVAL,
				   "'%.200s' is no address: %s (write "
				   "scheme:rest?key=value)",
				   text, why);
	err = find_transport(q);
	if (!err)
		err = check_keys(q);
	if (!err)
		err = read_timeout(q);
	if (!err)
		ferryi_address_format(&q->a, q->canonical, sizeof q->canonical);
	return err;
}

/* `max` is the transport's own key, not the framing's. */
static bool limits_itself(const struct ferryi_transport *t)
{
	return t->keys && strstr(t->keys, "max") != NULL;
}

static int new_link(struct request *q, struct ferry_link **out, unsigned flags)
{
	struct ferry_link *l;
	int err = ferryi_link_new(&l, q->t, flags, q->canonical);

	if (err)
		return err;
	if (ferryi_address_get(&q->a, "framing") || !limits_itself(q->t))
		err = ferryi_framing_new(&l->framing, &q->a);
	l->framed = l->framing != NULL;
	if (err)
		ferryi_link_free(l);
	else
		*out = l;
	return err;
}

/* Behind open, accept and pair: what was asked for has to go together. */
static int check_framing(struct ferry_link *l, const struct ferryi_address *a)
{
	const char *name = a ? ferryi_address_get(a, "framing") : NULL;

	if ((l->framing || name) && !l->stream)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s keeps message boundaries "
				   "itself (leave framing= out)",
				   l->address);
	if (l->framing)
		l->messages = NULL;
	return 0;
}

/* --- the calls ----------------------------------------------------------- */

static ssize_t try_open(struct ferryi_call *c)
{
	const struct request *q = c->data;

	return c->l->listening ? c->l->t->listen(c->l, &q->a) :
				 c->l->t->open(c->l, &q->a);
}

static int run_open(struct ferry_link *l, const struct request *q)
{
	struct ferryi_call c = {
		.l = l, .want = FERRYI_WANT_OPEN, .attempt = try_open, .data = q
	};
	int err = (int)ferryi_call_wait(&c, q->deadline);

	if ((err == -ETIMEDOUT && !ferryi_fail_sentence(err)) || err == -EAGAIN)
		return ferryi_fail(-ETIMEDOUT,
				   "%s: not %s within the timeout "
				   "(raise timeout=)",
				   l->address,
				   l->listening ? "listening" : "connected");
	return err;
}

static int check_flags(const struct request *q, unsigned flags)
{
	unsigned direction = flags & FERRY_DUPLEX;

	if (!direction || flags & ~(FERRY_DUPLEX | FERRY_THREAD))
		return ferryi_fail(-EINVAL,
				   "%s: open for FERRY_SEND, "
				   "FERRY_RECV or FERRY_DUPLEX",
				   q->canonical);
	if (direction == FERRY_DUPLEX &&
	    !(q->t->info.promises & FERRY_CAN_DUPLEX))
		return ferryi_fail(-EOPNOTSUPP, "%s: links go one way",
				   q->a.scheme);
	return 0;
}

static int open_request(struct request *q, struct ferry_link **out,
			unsigned flags, bool listening)
{
	struct ferry_link *l;
	int err = new_link(q, &l, flags & FERRY_DUPLEX);

	if (err)
		return err;
	l->listening = listening;
	l->may_thread = flags & FERRY_THREAD;
	err = run_open(l, q);
	if (!err)
		err = check_framing(l, &q->a);
	if (err) {
		ferryi_link_free(l);
		return err;
	}
	*out = l;
	return 0;
}

int ferry_open(struct ferry_link **out, const char *address, unsigned flags)
{
	struct request q;
	int err = understand(&q, address);

	if (!err && !q.t->open)
		err = ferryi_fail(-EOPNOTSUPP,
				  "%s: links have no name to open "
				  "(ferry_pair() makes two)",
				  q.a.scheme);
	if (!err)
		err = check_flags(&q, flags);
	return err ? err : open_request(&q, out, flags, false);
}

int ferry_listen(struct ferry_link **out, const char *address)
{
	struct request q;
	int err = understand(&q, address);

	if (!err && !q.t->listen)
		err = ferryi_fail(-EOPNOTSUPP,
				  "%s: links are not connected, "
				  "nobody listens (open both sides)",
				  q.a.scheme);
	return err ? err : open_request(&q, out, FERRY_DUPLEX, true);
}

static ssize_t try_accept(struct ferryi_call *c)
{
	return c->l->t->accept(c->l, c->more);
}

int ferry_accept(struct ferry_link *door, struct ferry_link **out,
		 ferry_time deadline)
{
	struct ferryi_call c = { .l = door,
				 .want = FERRYI_WANT_RECV,
				 .attempt = try_accept };
	struct ferry_link *l;
	int err;

	ferryi_fail_clear();
	if (!door || !door->listening)
		return ferryi_fail(-EINVAL,
				   "%s does not listen "
				   "(ferry_listen() makes what can accept)",
				   door ? door->address : "NULL");
	err = ferryi_link_new(&l, door->t, FERRY_DUPLEX, door->address);
	if (err)
		return err;
	c.more = l;
	err = ferryi_framing_copy(&l->framing, door->framing);
	l->framed = l->framing != NULL;
	if (!err)
		err = (int)ferryi_call_run(&c, deadline);
	if (!err)
		err = check_framing(l, NULL);
	if (err) {
		ferryi_link_free(l);
		return err;
	}
	*out = l;
	return 0;
}

int ferry_pair(struct ferry_link *out[2], const char *address)
{
	struct ferry_link *ends[2] = { NULL, NULL };
	struct request q;
	int err = understand(&q, address);

	if (!err && !q.t->pair)
		err = ferryi_fail(-EOPNOTSUPP,
				  "%s: links do not come in pairs "
				  "(pipe: and unix: do)",
				  q.a.scheme);
	for (int i = 0; i < 2 && !err; i++)
		err = new_link(&q, &ends[i], FERRY_DUPLEX);
	if (!err)
		err = q.t->pair(ends, &q.a);
	for (int i = 0; i < 2 && !err; i++)
		err = check_framing(ends[i], &q.a);
	for (int i = 0; i < 2; i++)
		if (err)
			ferryi_link_free(ends[i]);
		else
			out[i] = ends[i];
	return err;
}
