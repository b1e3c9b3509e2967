/* SPDX-License-Identifier: MIT */
/* Two ends of sockets between machines, and of datagrams. */
#include "conform.h"

static void datagrams_at(struct ferry_link *ends[2], const char *name)
{
	char address[200];

	snprintf(address, sizeof address, "unix:%s?type=dgram", name);
	ok(NULL, ferry_open(&ends[0], address, FERRY_RECV));
	ok(NULL, ferry_open(&ends[1], address, FERRY_SEND));
}

static void make_dgram(struct ferry_link *ends[2])
{
	char name[100];

	snprintf(name, sizeof name, "%s/d", place);
	datagrams_at(ends, name);
}

static void make_dgram_abstract(struct ferry_link *ends[2])
{
	char name[100];

	snprintf(name, sizeof name, "@ferry-conform-%d", getpid());
	datagrams_at(ends, name);
}

static void make_dgram_pair(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "unix:?type=dgram"));
}

/* Nobody hears of an end, and what follows is nothing. */
#define DATAGRAMS                                                              \
	.closed = -ETIMEDOUT, .killed = -ETIMEDOUT, .lends = true

const struct fixture fixtures_of_net[] = {
	{ .name = "unix-dgram",
	  .scheme = "unix",
	  .make = make_dgram,
	  DATAGRAMS,
	  .gone = -ECONNRESET,
	  .room = 10, /* net.unix.max_dgram_qlen */
	  .fds = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "unix-dgram-abstract",
	  .scheme = "unix",
	  .make = make_dgram_abstract,
	  DATAGRAMS,
	  .gone = -ECONNRESET,
	  .room = 10, /* net.unix.max_dgram_qlen */
	  .fds = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "unix-dgram-pair",
	  .scheme = "unix",
	  .make = make_dgram_pair,
	  DATAGRAMS,
	  .gone = -ECONNRESET,
	  .fds = true,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ 0 },
};
