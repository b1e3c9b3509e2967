/* SPDX-License-Identifier: MIT */
/* Two connected ends of pipes, UNIX sockets and open descriptors. */
#include <fcntl.h>
#include <sys/socket.h>

#include "conform.h"

/* A link over a descriptor; the descriptor itself is closed: the link has its
 * own. */
static struct ferry_link *over(int fd, unsigned flags)
{
	struct ferry_link *l;
	char pattern[60];

	snprintf(pattern, sizeof pattern, "fd:%d%s", fd, fixtures_keys());
	l = open_at(pattern, flags);
	close(fd);
	return l;
}

static void make_fd_pipe(struct ferry_link *ends[2])
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ends[0] = over(fds[0], FERRY_RECV);
	ends[1] = over(fds[1], FERRY_SEND);
}

static void socket_ends(struct ferry_link *ends[2], int type)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
	ends[0] = over(fds[0], FERRY_DUPLEX);
	ends[1] = over(fds[1], FERRY_DUPLEX);
}

static void make_fd_stream(struct ferry_link *ends[2])
{
	socket_ends(ends, SOCK_STREAM);
}

static void make_fd_seqpacket(struct ferry_link *ends[2])
{
	socket_ends(ends, SOCK_SEQPACKET);
}

#define PACKETS                                                                \
	.lends = true, .duplex = true, .largest = 100000, .too_large = 1u << 26

const struct fixture fixtures_of_kernel[] = {
	{ .name = "unix-seqpacket",
	  .scheme = "unix",
	  .address = "unix:{place}/sock?type=seqpacket",
	  .make = make_met,
	  CONNECTED,
	  PACKETS,
	  .fds = true },
	{ .name = "unix-seqpacket-pair",
	  .scheme = "unix",
	  .address = "unix:?type=seqpacket",
	  .make = make_pair,
	  CONNECTED,
	  PACKETS,
	  .fds = true },
	{ .name = "fd-seqpacket",
	  .scheme = "fd",
	  .address = "fd:",
	  .make = make_fd_seqpacket,
	  CONNECTED,
	  PACKETS },
	{ .name = "unix-len32",
	  .scheme = "unix",
	  .address = "unix:{place}/sock?framing=len32&max=3M",
	  .make = make_met,
	  CONNECTED,
	  FRAMED(3u << 20),
	  .duplex = true },
	{ .name = "pipe-line",
	  .scheme = "pipe",
	  .address = "pipe:?framing=line",
	  .make = make_pair,
	  CONNECTED,
	  FRAMED(1u << 20) },
	{ .name = "pipe-nul",
	  .scheme = "pipe",
	  .address = "pipe:?duplex&framing=nul&max=64K",
	  .make = make_pair,
	  CONNECTED,
	  FRAMED(65536),
	  .duplex = true },
	{ .name = "pipe-len32",
	  .scheme = "pipe",
	  .address = "pipe:?framing=len32",
	  .make = make_pair,
	  CONNECTED,
	  FRAMED(1u << 20) },
	{ .name = "pipe-half-line",
	  .scheme = "pipe",
	  .address = "pipe:?direction=half&framing=line",
	  .make = make_pair,
	  CONNECTED,
	  FRAMED(1u << 20),
	  .duplex = true,
	  .in_turns = true },
	{ .name = "fd-pipe-line",
	  .scheme = "fd",
	  .address = "fd:?framing=line",
	  .make = make_fd_pipe,
	  CONNECTED,
	  FRAMED(1u << 20) },
	{ .name = "pipe",
	  .scheme = "pipe",
	  .address = "pipe:",
	  .make = make_pair,
	  CONNECTED,
	  .stream = true },
	{ .name = "pipe-duplex",
	  .scheme = "pipe",
	  .address = "pipe:?duplex",
	  .make = make_pair,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ .name = "pipe-half",
	  .scheme = "pipe",
	  .address = "pipe:?direction=half",
	  .make = make_pair,
	  CONNECTED,
	  .stream = true,
	  .duplex = true,
	  .in_turns = true },
	{ .name = "unix",
	  .scheme = "unix",
	  .address = "unix:{place}/sock",
	  .make = make_met,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ .name = "unix-abstract",
	  .scheme = "unix",
	  .address = "unix:@ferry-conform-{pid}",
	  .make = make_met,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ .name = "unix-pair",
	  .scheme = "unix",
	  .address = "unix:",
	  .make = make_pair,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ .name = "fd-pipe",
	  .scheme = "fd",
	  .address = "fd:",
	  .make = make_fd_pipe,
	  CONNECTED,
	  .stream = true },
	{ .name = "fd-stream",
	  .scheme = "fd",
	  .address = "fd:",
	  .make = make_fd_stream,
	  CONNECTED,
	  .stream = true,
	  .duplex = true },
	{ 0 },
};
