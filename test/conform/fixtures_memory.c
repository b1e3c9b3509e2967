/* SPDX-License-Identifier: MIT */
/* Two connected ends of what goes through shared memory. */
#include "conform.h"

#define BOX "conform"

static void make_mailbox(struct ferry_link *ends[2])
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;

	o.capacity = 64;
	o.message_max = 100000;
	ok(NULL, ferry_mailbox_create(&ends[0], BOX, &o));
	ok(NULL, ferry_open(&ends[1], "mailbox:" BOX, FERRY_DUPLEX));
}

static struct ferry_link *open_mailbox(void)
{
	struct ferry_link *l;

	ok(NULL, ferry_open(&l, BOX, FERRY_SEND));
	return l;
}

#define TOPIC "topic:" BOX "?capacity=64&max=100000"

/* One that blocks, so that nothing is lost. */
static void make_topic(struct ferry_link *ends[2])
{
	ok(NULL, ferry_open(&ends[0], TOPIC, FERRY_RECV));
	ok(NULL, ferry_open(&ends[1], "topic:" BOX, FERRY_SEND));
}

static struct ferry_link *open_topic(void)
{
	struct ferry_link *l;

	ok(NULL, ferry_open(&l, TOPIC, FERRY_SEND));
	return l;
}

static void make_channel(struct ferry_link *ends[2])
{
	meet(ends, "channel:conform");
}

static void make_channel_stream(struct ferry_link *ends[2])
{
	meet(ends, "channel:conform?framing=stream");
}

static void make_channel_pair(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "channel:"));
}

static void make_channel_pair_stream(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "channel:?framing=stream&ring=16K"));
}

static void make_channel_half(struct ferry_link *ends[2])
{
	meet(ends, "channel:conform?direction=half");
}

static void make_channel_len32(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "channel:?framing=len32"));
}

static struct ferry_link *adopt_sender(void)
{
	ok(sender, ferry_adopt_after_fork(sender));
	return sender;
}

static void make_process(struct ferry_link *ends[2])
{
	ok(NULL, ferry_open(&ends[0], "process:conform", FERRY_RECV));
	ok(NULL, ferry_open(&ends[1], "process:conform", FERRY_SEND));
}

#define CHANNEL                                                                \
	.scheme = "channel", .closed = -ENODATA, .killed = -ECONNRESET,        \
	.gone = -ECONNRESET, .forked = -ESTALE, .shutdown = true,              \
	.sender_in_child = adopt_sender

const struct fixture fixtures_of_memory[] = {
	{ .name = "mailbox",
	  .scheme = "mailbox",
	  .in_memory = true,
	  .make = make_mailbox,
	  .sender_in_child = open_mailbox,
	  .lends = true,
	  .shared = true,
	  .shutdown = true,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 100001,
	  .closed = -ETIMEDOUT,
	  .killed = -ETIMEDOUT,
	  .gone = 0,
	  .forked = -ESTALE },
	{ .name = "topic",
	  .scheme = "topic",
	  .in_memory = true,
	  .make = make_topic,
	  .sender_in_child = open_topic,
	  .lends = true,
	  .one_in_place = true,
	  .shared = true,
	  .shutdown = true,
	  .largest = 100000,
	  .too_large = 100001,
	  .closed = -ETIMEDOUT,
	  .killed = -ETIMEDOUT,
	  .gone = 0,
	  .forked = -ESTALE },
	{ .name = "channel",
	  .make = make_channel,
	  CHANNEL,
	  .duplex = true,
	  .lends = true,
	  .fds = true,
	  .largest = 3u << 20 },
	{ .name = "channel-pair",
	  .make = make_channel_pair,
	  CHANNEL,
	  .duplex = true,
	  .lends = true,
	  .fds = true,
	  .largest = 3u << 20 },
	{ .name = "channel-half",
	  .make = make_channel_half,
	  CHANNEL,
	  .duplex = true,
	  .in_turns = true,
	  .lends = true,
	  .fds = true,
	  .largest = 3u << 20 },
	{ .name = "channel-len32",
	  .make = make_channel_len32,
	  CHANNEL,
	  .duplex = true,
	  .framed = true,
	  .largest = 1u << 20,
	  .too_large = (1u << 20) + 1 },
	{ .name = "channel-stream",
	  .make = make_channel_stream,
	  CHANNEL,
	  .duplex = true,
	  .stream = true },
	{ .name = "channel-pair-stream",
	  .make = make_channel_pair_stream,
	  CHANNEL,
	  .duplex = true,
	  .stream = true },
	{ .name = "process",
	  .scheme = "process",
	  .make = make_process,
	  .sender_in_child = adopt_sender,
	  .lends = true,
	  .largest = 3u << 20,
	  .closed = -ETIMEDOUT,
	  .killed = -ETIMEDOUT,
	  .gone = -ENOENT,
	  .forked = -ESTALE },
	{ 0 },
};
