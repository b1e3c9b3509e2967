/* SPDX-License-Identifier: MIT */
/*
 * Two connected ends of every scheme, and what is expected of them: a family a
 * file.  A new scheme gets rows in one of them; a new family, a line here.
 */
#include "conform.h"

static const struct fixture *const families[] = {
	fixtures_of_memory, fixtures_of_kernel, fixtures_of_fifo,
	fixtures_of_net,    fixtures_of_queues, fixtures_of_signals,
	fixtures_of_faults,
};

const struct fixture *fixture(unsigned i)
{
	const struct fixture *each;

	for (unsigned k = 0; k < sizeof families / sizeof families[0]; k++)
		for (each = families[k]; each->name; each++)
			if (i-- == 0)
				return each;
	return NULL;
}

/* Listen, connect and accept at `address`; the connecting side sends. */
void meet(struct ferry_link *ends[2], const char *address)
{
	struct ferry_link *door;

	ok(NULL, ferry_listen(&door, address));
	ok(NULL, ferry_open(&ends[1], address, FERRY_DUPLEX));
	ok(door, ferry_accept(door, &ends[0], SOON));
	ferry_close(door);
}

struct opening {
	struct ferry_link *link;
	const char *address;
	int err;
};

static void *open_it(void *arg)
{
	struct opening *o = arg;

	o->err = ferry_open(&o->link, o->address, FERRY_DUPLEX);
	return NULL;
}

void meet_meanwhile(struct ferry_link *ends[2], const char *address)
{
	struct opening o = { .address = address };
	struct ferry_link *door;
	pthread_t t;

	ok(NULL, ferry_listen(&door, address));
	pthread_create(&t, NULL, open_it, &o);
	ok(door, ferry_accept(door, &ends[0], SOON));
	pthread_join(t, NULL);
	ok(NULL, o.err);
	ends[1] = o.link;
	ferry_close(door);
}
