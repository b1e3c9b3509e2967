/* SPDX-License-Identifier: MIT */
/*
 * fault+ANY without any fault: what injects nothing changes nothing, so what is
 * expected of each is what is expected of the scheme behind it.
 */
#include <fcntl.h>
#include <sys/socket.h>

#include "conform.h"

#define BOX "conform"

static void make_mailbox(struct ferry_link *ends[2])
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *box;

	o.capacity = 64;
	o.message_max = 100000;
	ok(NULL, ferry_mailbox_create(&box, BOX, &o));
	ok(NULL, ferry_open(&ends[0], "fault+mailbox:" BOX, FERRY_RECV));
	ok(NULL, ferry_open(&ends[1], "fault+mailbox:" BOX, FERRY_SEND));
	ferry_close(box);
}

static struct ferry_link *open_mailbox(void)
{
	struct ferry_link *l;

	ok(NULL, ferry_open(&l, "fault+mailbox:" BOX, FERRY_SEND));
	return l;
}

#define TOPIC "fault+topic:" BOX "?capacity=64&max=100000"

static void make_topic(struct ferry_link *ends[2])
{
	ok(NULL, ferry_open(&ends[0], TOPIC, FERRY_RECV));
	ok(NULL, ferry_open(&ends[1], "fault+topic:" BOX, FERRY_SEND));
}

static struct ferry_link *open_topic(void)
{
	struct ferry_link *l;

	ok(NULL, ferry_open(&l, TOPIC, FERRY_SEND));
	return l;
}

static void make_channel(struct ferry_link *ends[2])
{
	meet(ends, "fault+channel:conform");
}

static void make_channel_half(struct ferry_link *ends[2])
{
	meet(ends, "fault+channel:conform?direction=half");
}

static void make_channel_stream(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "fault+channel:?framing=stream&ring=16K"));
}

static struct ferry_link *adopt_sender(void)
{
	ok(sender, ferry_adopt_after_fork(sender));
	return sender;
}

static void make_process(struct ferry_link *ends[2])
{
	ok(NULL, ferry_open(&ends[0], "fault+process:conform", FERRY_RECV));
	ok(NULL, ferry_open(&ends[1], "fault+process:conform", FERRY_SEND));
}

static void meet_at(struct ferry_link *ends[2], const char *keys)
{
	char address[200];

	snprintf(address, sizeof address, "fault+unix:%s/sock%s", place, keys);
	meet(ends, address);
}

static void make_unix(struct ferry_link *ends[2])
{
	meet_at(ends, "");
}

static void make_seqpacket(struct ferry_link *ends[2])
{
	meet_at(ends, "?type=seqpacket&seed=7&drop=0");
}

static void make_seqpacket_pair(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "fault+unix:?type=seqpacket"));
}

static void make_unix_len32(struct ferry_link *ends[2])
{
	meet_at(ends, "?framing=len32&max=3M");
}

static void make_pipe(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "fault+pipe:"));
}

static void make_pipe_line(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "fault+pipe:?duplex&framing=line"));
}

static struct ferry_link *over(int fd)
{
	struct ferry_link *l;
	char address[60];

	snprintf(address, sizeof address, "fault+fd:%d", fd);
	ok(NULL, ferry_open(&l, address, FERRY_DUPLEX));
	close(fd);
	return l;
}

static void make_fd_seqpacket(struct ferry_link *ends[2])
{
	int fds[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	ends[0] = over(fds[0]);
	ends[1] = over(fds[1]);
}

#define CHANNEL                                                                \
	.scheme = "fault+channel", .closed = -ENODATA, .killed = -ECONNRESET,  \
	.gone = -ECONNRESET, .forked = -ESTALE, .shutdown = true,              \
	.sender_in_child = adopt_sender, .duplex = true

#define SHARED                                                                 \
	.lends = true, .shared = true, .shutdown = true, .largest = 100000,    \
	.too_large = 100001, .closed = -ETIMEDOUT, .killed = -ETIMEDOUT,       \
	.forked = -ESTALE

const struct fixture fixtures_of_faults[] = {
	{ .name = "fault-mailbox",
	  .in_memory = true,
	  .scheme = "fault+mailbox",
	  .make = make_mailbox,
	  .sender_in_child = open_mailbox,
	  SHARED },
	{ .name = "fault-topic",
	  .in_memory = true,
	  .scheme = "fault+topic",
	  .make = make_topic,
	  .sender_in_child = open_topic,
	  .one_in_place = true,
	  SHARED },
	{ .name = "fault-channel",
	  .make = make_channel,
	  CHANNEL,
	  .lends = true,
	  .fds = true,
	  .largest = 3u << 20 },
	{ .name = "fault-channel-half",
	  .make = make_channel_half,
	  CHANNEL,
	  .in_turns = true,
	  .lends = true,
	  .fds = true,
	  .largest = 3u << 20 },
	{ .name = "fault-channel-stream",
	  .make = make_channel_stream,
	  CHANNEL,
	  .stream = true },
	{ .name = "fault-process",
	  .scheme = "fault+process",
	  .make = make_process,
	  .sender_in_child = adopt_sender,
	  .lends = true,
	  .largest = 3u << 20,
	  .closed = -ETIMEDOUT,
	  .killed = -ETIMEDOUT,
	  .gone = -ENOENT,
	  .forked = -ESTALE },
	{ .name = "fault-unix-seqpacket",
	  .fds = true,
	  .lends = true,
	  .scheme = "fault+unix",
	  .make = make_seqpacket,
	  CONNECTED,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "fault-unix-seqpacket-pair",
	  .fds = true,
	  .lends = true,
	  .scheme = "fault+unix",
	  .make = make_seqpacket_pair,
	  CONNECTED,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "fault-fd-seqpacket",
	  .lends = true,
	  .scheme = "fault+fd",
	  .make = make_fd_seqpacket,
	  CONNECTED,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "fault-unix-len32",
	  .scheme = "fault+unix",
	  .make = make_unix_len32,
	  CONNECTED,
	  .duplex = true,
	  .framed = true,
	  .largest = 3u << 20,
	  .too_large = (3u << 20) + 1 },
	{ .name = "fault-pipe-line",
	  .scheme = "fault+pipe",
	  .make = make_pipe_line,
	  CONNECTED,
	  .duplex = true,
	  .framed = true,
	  .largest = 1u << 20,
	  .too_large = (1u << 20) + 1 },
	{ .name = "fault-unix",
	  .scheme = "fault+unix",
	  .make = make_unix,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ .name = "fault-pipe",
	  .scheme = "fault+pipe",
	  .make = make_pipe,
	  CONNECTED,
	  .stream = true },
	{ 0 },
};
