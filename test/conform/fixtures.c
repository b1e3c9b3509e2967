/* SPDX-License-Identifier: MIT */
/*
 * Two connected ends of every scheme, and what is expected of them.  A new
 * scheme gets rows here.
 */
#include <fcntl.h>
#include <sys/socket.h>

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

/* Listen, connect and accept at `address`; the connecting side sends. */
static void meet(struct ferry_link *ends[2], const char *address)
{
	struct ferry_link *door;

	ok(NULL, ferry_listen(&door, address));
	ok(NULL, ferry_open(&ends[1], address, FERRY_DUPLEX));
	ok(door, ferry_accept(door, &ends[0], SOON));
	ferry_close(door);
}

static void meet_at(struct ferry_link *ends[2], const char *keys)
{
	char address[200];

	snprintf(address, sizeof address, "unix:%s/sock%s", place, keys);
	meet(ends, address);
}

static void make_unix(struct ferry_link *ends[2])
{
	meet_at(ends, "");
}

static void make_unix_len32(struct ferry_link *ends[2])
{
	meet_at(ends, "?framing=len32&max=3M");
}

static void make_seqpacket(struct ferry_link *ends[2])
{
	meet_at(ends, "?type=seqpacket");
}

static void make_abstract(struct ferry_link *ends[2])
{
	char address[100];

	snprintf(address, sizeof address, "unix:@ferry-conform-%d", getpid());
	meet(ends, address);
}

static void make_unix_pair(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "unix:"));
}

static void make_seqpacket_pair(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "unix:?type=seqpacket"));
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

static void make_pipe(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "pipe:"));
}

static void make_pipe_duplex(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "pipe:?duplex"));
}

static void make_pipe_line(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "pipe:?framing=line"));
}

static void make_pipe_nul(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "pipe:?duplex&framing=nul&max=64K"));
}

static void make_pipe_len32(struct ferry_link *ends[2])
{
	ok(NULL, ferry_pair(ends, "pipe:?framing=len32"));
}

/* A link over a descriptor; the descriptor itself is closed: the link has its
 * own. */
static struct ferry_link *over(int fd, unsigned flags, const char *keys)
{
	struct ferry_link *l;
	char address[60];

	snprintf(address, sizeof address, "fd:%d%s", fd, keys);
	ok(NULL, ferry_open(&l, address, flags));
	close(fd);
	return l;
}

static void pipe_ends(struct ferry_link *ends[2], const char *keys)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ends[0] = over(fds[0], FERRY_RECV, keys);
	ends[1] = over(fds[1], FERRY_SEND, keys);
}

static void socket_ends(struct ferry_link *ends[2], int type)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
	ends[0] = over(fds[0], FERRY_DUPLEX, "");
	ends[1] = over(fds[1], FERRY_DUPLEX, "");
}

static void make_fd_pipe(struct ferry_link *ends[2])
{
	pipe_ends(ends, "");
}

static void make_fd_pipe_line(struct ferry_link *ends[2])
{
	pipe_ends(ends, "?framing=line");
}

static void make_fd_stream(struct ferry_link *ends[2])
{
	socket_ends(ends, SOCK_STREAM);
}

static void make_fd_seqpacket(struct ferry_link *ends[2])
{
	socket_ends(ends, SOCK_SEQPACKET);
}

#define CONNECTED                                                              \
	.closed = -ENODATA, .killed = -ENODATA, .gone = -ECONNRESET,           \
	.shutdown = true

#define CHANNEL                                                                \
	.scheme = "channel", .closed = -ENODATA, .killed = -ECONNRESET,        \
	.gone = -ECONNRESET, .forked = -ESTALE, .shutdown = true,              \
	.sender_in_child = adopt_sender

const struct fixture fixtures[] = {
	{ .name = "mailbox",
	  .scheme = "mailbox",
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
	{ .name = "unix-seqpacket",
	  .scheme = "unix",
	  .make = make_seqpacket,
	  CONNECTED,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "unix-seqpacket-pair",
	  .scheme = "unix",
	  .make = make_seqpacket_pair,
	  CONNECTED,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "fd-seqpacket",
	  .scheme = "fd",
	  .make = make_fd_seqpacket,
	  CONNECTED,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "unix-len32",
	  .scheme = "unix",
	  .make = make_unix_len32,
	  CONNECTED,
	  .duplex = true,
	  .framed = true,
	  .largest = 3u << 20,
	  .too_large = (3u << 20) + 1 },
	{ .name = "pipe-line",
	  .scheme = "pipe",
	  .make = make_pipe_line,
	  CONNECTED,
	  .framed = true,
	  .largest = 1u << 20,
	  .too_large = (1u << 20) + 1 },
	{ .name = "pipe-nul",
	  .scheme = "pipe",
	  .make = make_pipe_nul,
	  CONNECTED,
	  .duplex = true,
	  .framed = true,
	  .largest = 65536,
	  .too_large = 65537 },
	{ .name = "pipe-len32",
	  .scheme = "pipe",
	  .make = make_pipe_len32,
	  CONNECTED,
	  .framed = true,
	  .largest = 1u << 20,
	  .too_large = (1u << 20) + 1 },
	{ .name = "fd-pipe-line",
	  .scheme = "fd",
	  .make = make_fd_pipe_line,
	  CONNECTED,
	  .framed = true,
	  .largest = 1u << 20,
	  .too_large = (1u << 20) + 1 },
	{ .name = "pipe",
	  .scheme = "pipe",
	  .make = make_pipe,
	  CONNECTED,
	  .stream = true },
	{ .name = "pipe-duplex",
	  .scheme = "pipe",
	  .make = make_pipe_duplex,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ .name = "unix",
	  .scheme = "unix",
	  .make = make_unix,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ .name = "unix-abstract",
	  .scheme = "unix",
	  .make = make_abstract,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ .name = "unix-pair",
	  .scheme = "unix",
	  .make = make_unix_pair,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ .name = "fd-pipe",
	  .scheme = "fd",
	  .make = make_fd_pipe,
	  CONNECTED,
	  .stream = true },
	{ .name = "fd-stream",
	  .scheme = "fd",
	  .make = make_fd_stream,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
};

const unsigned n_fixtures = sizeof fixtures / sizeof fixtures[0];
