/* SPDX-License-Identifier: MIT */
/* Two connected ends of what goes through shared memory. */
#include "conform.h"

static void make_mailbox(struct ferry_link *ends[2])
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *box;

	o.capacity = 64;
	o.message_max = 100000;
	ok(NULL, ferry_mailbox_create(&box, "conform", &o));
	make_both_ways(ends);
	ferry_close(box);
}

/* What everybody opens by its name. */
#define SHARED                                                                 \
	.in_memory = true, .sender_in_child = open_sending_end, .lends = true, \
	.shared = true, .shutdown = true, .largest = 100000,                   \
	.too_large = 100001, .closed = -ETIMEDOUT, .killed = -ETIMEDOUT,       \
	.forked = -ESTALE

#define CHANNEL                                                                \
	.scheme = "channel", .closed = -ENODATA, .killed = -ECONNRESET,        \
	.gone = -ECONNRESET, .forked = -ESTALE, .shutdown = true,              \
	.sender_in_child = adopt_sender, .duplex = true

/* Its messages. */
#define WHOLE .lends = true, .fds = true, .largest = 3u << 20

/* The topic is one that blocks, so that nothing is lost. */
const struct fixture fixtures_of_memory[] = {
	{ .name = "mailbox",
	  .scheme = "mailbox",
	  .address = "mailbox:conform",
	  .make = make_mailbox,
	  SHARED,
	  .duplex = true },
	{ .name = "topic",
	  .scheme = "topic",
	  .address = "topic:conform?capacity=64&max=100000",
	  .to = "topic:conform",
	  .make = make_one_way,
	  SHARED,
	  .one_in_place = true },
	{ .name = "channel",
	  .address = "channel:conform",
	  .make = make_met,
	  CHANNEL,
	  WHOLE },
	{ .name = "channel-pair",
	  .address = "channel:",
	  .make = make_pair,
	  CHANNEL,
	  WHOLE },
	{ .name = "channel-half",
	  .address = "channel:conform?direction=half",
	  .make = make_met,
	  CHANNEL,
	  WHOLE,
	  .in_turns = true },
	{ .name = "channel-len32",
	  .address = "channel:?framing=len32",
	  .make = make_pair,
	  CHANNEL,
	  FRAMED(1u << 20) },
	{ .name = "channel-stream",
	  .address = "channel:conform?framing=stream",
	  .make = make_met,
	  CHANNEL,
	  .stream = true },
	{ .name = "channel-pair-stream",
	  .address = "channel:?framing=stream&ring=16K",
	  .make = make_pair,
	  CHANNEL,
	  .stream = true },
	{ .name = "process",
	  .scheme = "process",
	  .address = "process:conform",
	  .make = make_one_way,
	  .sender_in_child = adopt_sender,
	  .lends = true,
	  .largest = 3u << 20,
	  .closed = -ETIMEDOUT,
	  .killed = -ETIMEDOUT,
	  .gone = -ENOENT,
	  .forked = -ESTALE },
	{ 0 },
};
