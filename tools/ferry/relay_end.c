/* SPDX-License-Identifier: MIT */
/*
 * The two ends of a relay.  What they are is read from the table of transports; what
 * one promises and the other does not is lost, and told before anything is taken.
 */
#include "relay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cancel.h"
#include "opening.h"
#include "report.h"

/* --- what an address is --------------------------------------------------------- */

#define OF_A_MESSAGE                                                           \
	(FERRY_CAN_TYPE | FERRY_CAN_PRIORITY | FERRY_CAN_FDS |                 \
	 FERRY_CAN_CREDENTIAL)

/* Is it a stream, into which the user put a framing or not? */
static bool has_bytes(const struct relay_end *e)
{
	return e->t && (address_is_stream(e->t, e->name) ||
			address_has(e->name, "framing", NULL));
}

static void understand(struct relay_end *e, const char *name, bool listens,
		       const char *framing)
{
	if (strlen(name) > ADDRESS_SIZE - 32)
		usage_error("%.60s...: the address is too long", name);
	e->name = name;
	e->listens = listens;
	e->t = address_transport(name);
	e->promises = e->t ? e->t->promises : 0;
	if (has_bytes(e))
		e->promises &= ~OF_A_MESSAGE;
	snprintf(e->address, sizeof e->address, "%s", name);
	if (framing && e->t && address_is_stream(e->t, name))
		address_add(e->address, sizeof e->address, "framing", framing);
}

/* Has it another side, that is neither everybody nor nobody in particular? */
static bool is_connection(const struct relay_end *e)
{
	if (!e->t || address_is_shared(e->t) ||
	    !(e->promises & FERRY_CAN_DUPLEX))
		return false;
	return e->listens || address_has(e->name, "duplex", NULL) ||
	       (!(e->promises & FERRY_CAN_MANY_SEND) &&
		!address_has(e->name, "type", "dgram"));
}

/* --- what is lost ----------------------------------------------------------------- */

static const struct {
	unsigned bits;
	const char *name;
} losses[] = {
	{ FERRY_CAN_TYPE, "types" },
	{ FERRY_CAN_PRIORITY, "priorities" },
	{ FERRY_CAN_FDS, "descriptors" },
	{ FERRY_CAN_CREDENTIAL, "senders" },
	{ FERRY_CAN_ORDER | FERRY_CAN_RELIABLE, "order and certainty" },
};

#define LOSSES_SIZE 100

/* The list of what `from` has and `to` lacks; is there any? */
static bool list_losses(const struct relay_end *from,
			const struct relay_end *to, char list[LOSSES_SIZE])
{
	size_t n = 0;

	*list = 0;
	for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
		if ((from->promises & losses[i].bits) == losses[i].bits &&
		    !(to->promises & losses[i].bits))
			n += (size_t)snprintf(list + n, LOSSES_SIZE - n, "%s%s",
					      n ? ", " : "", losses[i].name);
	return n;
}

static int check_losses(const struct relay *r, int from)
{
	const struct relay_end *a = &r->end[from], *b = &r->end[!from];
	char list[LOSSES_SIZE];

	if (!r->o->strict || !list_losses(a, b, list))
		return 0;
	return report(a->name, STATUS_USAGE,
		      "%s would be lost in %s, which has none (leave "
		      "--strict out, or choose another address)",
		      list, b->name);
}

static void tell_losses(const struct relay *r, int from)
{
	const struct relay_end *a = &r->end[from], *b = &r->end[!from];
	char list[LOSSES_SIZE];

	if (list_losses(a, b, list))
		report(a->name, 0,
		       "%s are lost in %s, which has none (--strict refuses)",
		       list, b->name);
}

/* --- opening ------------------------------------------------------------------------- */

static int meet(struct relay *r, struct relay_end *e)
{
	struct ferry_link *door;
	int err = listen_patiently(&door, e->address, &r->o->patience);

	if (err < 0)
		return err;
	note("listening at %s", ferry_address(door));
	cancel_on_signals(door);
	err = ferry_accept(door, &e->link, patience_deadline(&r->o->patience));
	cancel_stop();
	if (err >= 0)
		note("connected: %s", ferry_address(e->link));
	ferry_close(door);
	return err;
}

/* What goes one way only, as a descriptor may, makes all of it go one way. */
static int open_end(struct relay *r, struct relay_end *e, unsigned direction)
{
	int err = -EINVAL;

	if (e->listens)
		return meet(r, e);
	if (r->both)
		err = open_patiently(&e->link, e->address, FERRY_DUPLEX,
				     &r->o->patience);
	if (err != -EINVAL || (r->both && e->promises & FERRY_CAN_CONNECT))
		return err;
	r->both = false;
	return open_patiently(&e->link, e->address, direction, &r->o->patience);
}

/* Where it may be either, an attempt that can do nothing tells. */
static bool carries_bytes(const struct relay_end *e, unsigned direction)
{
	if (!e->t || !(e->t->promises & FERRY_CAN_STREAM))
		return false;
	return direction == FERRY_SEND ?
		       ferry_write(e->link, "", 0, FERRY_NOWAIT) !=
			       -EPROTOTYPE :
		       ferry_next_len(e->link) == -EPROTOTYPE;
}

static int open_both(struct relay *r)
{
	static const unsigned direction[] = { FERRY_RECV, FERRY_SEND };

	for (int i = 0; i < 2; i++) {
		struct relay_end *e = &r->end[i];
		int err = open_end(r, e, direction[i]);

		if (err < 0)
			return opening_failed(e->name, err, &r->o->patience);
		if (cancelled())
			return STATUS_NO;
		e->stream = carries_bytes(e, direction[i]);
	}
	return 0;
}

static int check_kinds(const struct relay *r)
{
	const struct relay_end *s = &r->end[!r->end[0].stream];
	const struct relay_end *m = &r->end[r->end[0].stream];

	if (r->end[0].stream == r->end[1].stream)
		return r->o->count != UINT64_MAX && s->stream ?
			       report(s->name, STATUS_USAGE,
				      "bytes cannot be counted as messages "
				      "(leave -C out, or say how they stand in "
				      "it: --line, -0 or --len32)") :
			       0;
	return report(s->name, ferry_error_status(-EPROTOTYPE),
		      "it carries bytes, and %s messages (say how they stand "
		      "in the bytes: --line, -0, --len32, or ?framing= of the "
		      "address)",
		      m->name);
}

static void check_usage(const struct relay *r, const char *framing)
{
	const struct relay_end *a = &r->end[0], *b = &r->end[1];

	if (framing && !has_bytes(a) && !has_bytes(b))
		usage_error("no ADDRESS carries bytes for sure (leave the "
			    "framing out, or write ?framing=%s where it does)",
			    framing);
	if (strcmp(a->name, b->name) == 0 && a->t && address_is_shared(a->t))
		usage_error("%s would be filled from itself for ever", a->name);
}

int relay_open(struct relay *r, const char *a, const char *b)
{
	const char *framing = framing_key(&r->o->framing);
	int status;

	understand(&r->end[0], a, r->o->listens[0], framing);
	understand(&r->end[1], b, r->o->listens[1], framing);
	check_usage(r, framing);
	r->both = !r->o->one_way && is_connection(&r->end[0]) &&
		  is_connection(&r->end[1]);
	status = check_losses(r, 0);
	if (!status && r->both)
		status = check_losses(r, 1);
	if (!status)
		status = open_both(r);
	if (!status && relay_is_same(&r->end[0], &r->end[1]))
		status = report(a, STATUS_USAGE,
				"it is %s, and would be filled from itself for "
				"ever",
				b);
	if (!status)
		status = check_kinds(r);
	if (status)
		return status;
	tell_losses(r, 0);
	if (r->both)
		tell_losses(r, 1);
	return 0;
}
