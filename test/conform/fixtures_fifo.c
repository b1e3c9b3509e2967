/* SPDX-License-Identifier: MIT */
/* Two connected ends of pipes with a name. */
#include "conform.h"

static void address_of(char address[200], const char *keys)
{
	snprintf(address, 200, "fifo:%s/fifo%s", place, keys);
}

static void one_way(struct ferry_link *ends[2], const char *keys)
{
	char address[200];

	address_of(address, keys);
	ok(NULL, ferry_open(&ends[0], address, FERRY_RECV));
	ok(NULL, ferry_open(&ends[1], address, FERRY_SEND));
}

static void make_fifo(struct ferry_link *ends[2])
{
	one_way(ends, "");
}

static void make_fifo_line(struct ferry_link *ends[2])
{
	one_way(ends, "?framing=line");
}

static void make_fifo_len32(struct ferry_link *ends[2])
{
	one_way(ends, "?framing=len32");
}

static void make_duplex(struct ferry_link *ends[2])
{
	char address[200];

	address_of(address, "");
	meet_meanwhile(ends, address);
}

static void make_duplex_nul(struct ferry_link *ends[2])
{
	char address[200];

	address_of(address, "?framing=nul&max=64K");
	meet_meanwhile(ends, address);
}

static void make_twin(struct ferry_link *ends[2])
{
	char address[200];

	address_of(address, "?duplex");
	meet(ends, address);
}

const struct fixture fixtures_of_fifo[] = {
	{ .name = "fifo-line",
	  .scheme = "fifo",
	  .make = make_fifo_line,
	  CONNECTED,
	  .framed = true,
	  .largest = 1u << 20,
	  .too_large = (1u << 20) + 1 },
	{ .name = "fifo-len32",
	  .scheme = "fifo",
	  .make = make_fifo_len32,
	  CONNECTED,
	  .framed = true,
	  .largest = 1u << 20,
	  .too_large = (1u << 20) + 1 },
	{ .name = "fifo-accepted-nul",
	  .scheme = "fifo",
	  .make = make_duplex_nul,
	  CONNECTED,
	  .duplex = true,
	  .framed = true,
	  .largest = 65536,
	  .too_large = 65537 },
	{ .name = "fifo",
	  .scheme = "fifo",
	  .make = make_fifo,
	  CONNECTED,
	  .stream = true },
	{ .name = "fifo-accepted",
	  .scheme = "fifo",
	  .make = make_duplex,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ .name = "fifo-duplex",
	  .scheme = "fifo",
	  .make = make_twin,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ 0 },
};
