/* SPDX-License-Identifier: MIT */
/*
 * Two connected ends of every scheme, and what is expected of them: a family a
 * file.  A new scheme gets rows in one of them; a new family, a line here.  What
 * families have in common to make their ends stands here, too.
 */
#include "conform.h"

static const struct fixture *const families[] = {
	fixtures_of_memory, fixtures_of_kernel, fixtures_of_fifo,
	fixtures_of_net,    fixtures_of_queues, fixtures_of_signals,
};

/* Number `*i`, or NULL, and *i is how far behind the last one that is. */
static const struct fixture *plain(unsigned *i)
{
	const struct fixture *each;

	for (unsigned k = 0; k < sizeof families / sizeof families[0]; k++)
		for (each = families[k]; each->name; each++)
			if ((*i)-- == 0)
				return each;
	return NULL;
}

const struct fixture *fixture(unsigned i)
{
	const struct fixture *this = plain(&i);

	return this ? this : fixture_with_faults(i);
}

const struct fixture *fixture_named(const char *name)
{
	const struct fixture *each;

	for (unsigned i = 0, k = 0; (each = plain(&k)); k = ++i)
		if (strcmp(each->name, name) == 0)
			return each;
	fprintf(stderr, "there is no fixture %s\n", name);
	abort();
}

/* --- addresses ------------------------------------------------------------- */

/* Copy `pattern`, with what {place} and {pid} stand for. */
static void expand(char out[ADDRESS_ROOM], const char *before,
		   const char *pattern)
{
	int n = snprintf(out, ADDRESS_ROOM, "%s", before);

	while (*pattern && n < ADDRESS_ROOM) {
		size_t room = (size_t)(ADDRESS_ROOM - n);

		if (strncmp(pattern, "{place}", 7) == 0) {
			n += snprintf(out + n, room, "%s", place);
			pattern += 7;
		} else if (strncmp(pattern, "{pid}", 5) == 0) {
			n += snprintf(out + n, room, "%d", getpid());
			pattern += 5;
		} else {
			n += snprintf(out + n, room, "%c", *pattern++);
		}
	}
	ck_assert_int_lt(n, ADDRESS_ROOM);
}

void address_from(char out[ADDRESS_ROOM], const char *pattern)
{
	expand(out, f->before ? f->before : "", pattern);
}

const char *fixtures_keys(void)
{
	const char *keys = strchr(f->address, '?');

	return keys ? keys : "";
}

struct ferry_link *open_at(const char *pattern, unsigned flags)
{
	char address[ADDRESS_ROOM];
	struct ferry_link *l;

	address_from(address, pattern);
	ok(NULL,
	   ferry_open(&l, address, flags | FERRY_THREAD)); /* for poll.c */
	return l;
}

/* --- two ends --------------------------------------------------------------- */

void make_pair(struct ferry_link *ends[2])
{
	char address[ADDRESS_ROOM];

	address_from(address, f->address);
	ok(NULL, ferry_pair(ends, address));
}

void make_one_way(struct ferry_link *ends[2])
{
	ends[0] = open_at(f->address, FERRY_RECV);
	ends[1] = open_at(f->to ? f->to : f->address, FERRY_SEND);
}

void make_both_ways(struct ferry_link *ends[2])
{
	ends[0] = open_at(f->address, FERRY_DUPLEX);
	ends[1] = open_at(f->address, FERRY_DUPLEX);
}

void make_sent_there(struct ferry_link *ends[2])
{
	enter_host(RECEIVING);
	ends[0] = open_at(f->address, FERRY_RECV);
	enter_host(SENDING);
	ok(NULL, ferry_open(&ends[1], ferry_address(ends[0]), FERRY_SEND));
}

static struct ferry_link *listen_there(void)
{
	char address[ADDRESS_ROOM];
	struct ferry_link *door;

	address_from(address, f->address);
	ok(NULL, ferry_listen(&door, address));
	return door;
}

void make_met(struct ferry_link *ends[2])
{
	struct ferry_link *door = listen_there();

	ends[1] = open_at(f->address, FERRY_DUPLEX);
	ok(door, ferry_accept(door, &ends[0], SOON));
	ferry_close(door);
}

void make_met_where_it_listens(struct ferry_link *ends[2])
{
	char address[ADDRESS_ROOM];
	struct ferry_link *door;

	enter_host(RECEIVING);
	door = listen_there();
	snprintf(address, sizeof address, "%s%s", ferry_address(door),
		 fixtures_keys());
	enter_host(SENDING);
	ok(NULL, ferry_open(&ends[1], address, FERRY_DUPLEX));
	ok(door, ferry_accept(door, &ends[0], SOON));
	ferry_close(door);
}

static void *open_meanwhile(void *arg)
{
	struct ferry_link **end = arg;

	*end = open_at(f->address, FERRY_DUPLEX);
	return NULL;
}

void make_met_meanwhile(struct ferry_link *ends[2])
{
	struct ferry_link *door = listen_there();
	pthread_t t;

	pthread_create(&t, NULL, open_meanwhile, &ends[1]);
	ok(door, ferry_accept(door, &ends[0], SOON));
	pthread_join(t, NULL);
	ferry_close(door);
}

/* --- the end, and in a child -------------------------------------------------- */

/* By its own name, without faults. */
void unmake_by_name(void)
{
	char address[ADDRESS_ROOM];

	expand(address, "", f->address);
	ok(NULL, ferry_destroy(address));
}

struct ferry_link *adopt_sender(void)
{
	ok(sender, ferry_adopt_after_fork(sender));
	return sender;
}

struct ferry_link *open_sending_end(void)
{
	return open_at(f->to ? f->to : f->address, FERRY_SEND);
}
