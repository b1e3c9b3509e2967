/* SPDX-License-Identifier: MIT */
/* Two connected ends of pipes, UNIX sockets and open descriptors. */
#include <fcntl.h>
#include <sys/socket.h>

#include "conform.h"

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

const struct fixture fixtures_of_kernel[] = {
	{ .name = "unix-seqpacket",
	  .scheme = "unix",
	  .make = make_seqpacket,
	  CONNECTED,
	  .lends = true,
	  .fds = true,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "unix-seqpacket-pair",
	  .scheme = "unix",
	  .make = make_seqpacket_pair,
	  CONNECTED,
	  .lends = true,
	  .fds = true,
	  .duplex = true,
	  .largest = 100000,
	  .too_large = 1u << 26 },
	{ .name = "fd-seqpacket",
	  .scheme = "fd",
	  .make = make_fd_seqpacket,
	  CONNECTED,
	  .lends = true,
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
	{ 0 },
};
