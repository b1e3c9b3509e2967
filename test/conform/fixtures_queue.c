/* SPDX-License-Identifier: MIT */
/* Two ends of the kernel's message queues, and of logs in files. */
#include "conform.h"

static char address[200];

static void open_two(struct ferry_link *ends[2])
{
	ok(NULL, ferry_open(&ends[0], address, FERRY_DUPLEX));
	ok(NULL, ferry_open(&ends[1], address, FERRY_DUPLEX));
}

static void remove_it(void)
{
	ok(NULL, ferry_destroy(address));
}

static void make_mq(struct ferry_link *ends[2])
{
	snprintf(address, sizeof address, "mq:/ferry-conform-%d", getpid());
	open_two(ends);
}

static void make_sysv(struct ferry_link *ends[2])
{
	snprintf(address, sizeof address, "sysv:0x%x", getpid());
	open_two(ends);
}

static void make_sysv_path(struct ferry_link *ends[2])
{
	snprintf(address, sizeof address, "sysv:%s/queue", place);
	open_two(ends);
}

static void make_file(struct ferry_link *ends[2])
{
	snprintf(address, sizeof address, "file:%s/log", place);
	ok(NULL, ferry_open(&ends[1], address, FERRY_SEND));
	strcat(address, "?from=end");
	ok(NULL, ferry_open(&ends[0], address, FERRY_RECV));
}

/* What the kernel keeps, whoever uses it. */
#define QUEUE                                                                  \
	.unmake = remove_it, .lends = true, .shared = true,                    \
	.closed = -ETIMEDOUT, .killed = -ETIMEDOUT

const struct fixture fixtures_of_queues[] = {
	{ .name = "mq",
	  .scheme = "mq",
	  .room = 10,
	  .make = make_mq,
	  QUEUE,
	  .duplex = true,
	  .ranked = true,
	  .largest = 8192,
	  .too_large = 8193 },
	{ .name = "sysv",
	  .scheme = "sysv",
	  .room = 10,
	  .make = make_sysv,
	  QUEUE,
	  .duplex = true,
	  .untold = true,
	  .ticks = true,
	  .largest = 8192,
	  .too_large = 8193 },
	{ .name = "sysv-path",
	  .scheme = "sysv",
	  .room = 10,
	  .make = make_sysv_path,
	  QUEUE,
	  .duplex = true,
	  .untold = true,
	  .ticks = true,
	  .largest = 8192,
	  .too_large = 8193 },
	{ .name = "file",
	  .scheme = "file",
	  .make = make_file,
	  QUEUE,
	  .endless = true,
	  .largest = 1u << 20,
	  .too_large = (1u << 20) + 1 },
	{ 0 },
};
