/* SPDX-License-Identifier: MIT */
/* Two ends of the kernel's message queues, and of logs in files. */
#include "conform.h"

/* Who appends makes it; who reads begins behind what is there. */
static void make_file(struct ferry_link *ends[2])
{
	ends[1] = open_at(f->address, FERRY_SEND);
	ends[0] = open_at("file:{place}/log?from=end", FERRY_RECV);
}

/* What the kernel keeps, whoever uses it. */
#define KEPT                                                                   \
	.unmake = unmake_by_name, .lends = true, .shared = true,               \
	.closed = -ETIMEDOUT, .killed = -ETIMEDOUT

#define QUEUE                                                                  \
	KEPT, .make = make_both_ways, .room = 10, .duplex = true,              \
	      .largest = 8192, .too_large = 8193

#define SYSV QUEUE, .scheme = "sysv", .untold = true, .ticks = true

const struct fixture fixtures_of_queues[] = {
	{ .name = "mq",
	  .address = "mq:/ferry-conform-{pid}",
	  QUEUE,
	  .scheme = "mq",
	  .ranked = true },
	{ .name = "sysv", .address = "sysv:{pid}", SYSV },
	{ .name = "sysv-path", .address = "sysv:{place}/queue", SYSV },
	{ .name = "file",
	  .scheme = "file",
	  .address = "file:{place}/log",
	  .make = make_file,
	  KEPT,
	  .endless = true,
	  .largest = 1u << 20,
	  .too_large = (1u << 20) + 1 },
	{ 0 },
};
