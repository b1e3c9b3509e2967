/* SPDX-License-Identifier: MIT */
/*
 * Each scheme of the kernel's, how two ends of it meet, and what is told of a death.
 * The expectations are those of the manual, not of the library's table.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel.h"

/* --- pairs, which the victim inherits ---------------------------------------- */

static bool make_pair(const struct way *w, bool sends)
{
	struct ferry_link *ends[2];

	if (ferry_pair(ends, w->address))
		return false;
	end = ends[!sends];
	mine = ends[sends];
	return true;
}

/* A link over one descriptor, which it has a copy of. */
static bool over(struct ferry_link **out, int fd, unsigned flags,
		 const char *keys)
{
	char address[60];
	int err;

	snprintf(address, sizeof address, "fd:%d%s", fd, keys);
	err = ferry_open(out, address, flags);
	close(fd);
	return err == 0;
}

static bool make_fd_pipe(const struct way *w, bool sends)
{
	int fds[2];

	return pipe2(fds, O_CLOEXEC) == 0 &&
	       over(sends ? &end : &mine, fds[0], FERRY_RECV, w->address) &&
	       over(sends ? &mine : &end, fds[1], FERRY_SEND, w->address);
}

static bool make_fd_socket(const struct way *w, bool sends)
{
	int fds[2];

	(void)sends;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) ==
		       0 &&
	       over(&end, fds[0], FERRY_DUPLEX, w->address) &&
	       over(&mine, fds[1], FERRY_DUPLEX, w->address);
}

/* --- the auditor listens ------------------------------------------------------- */

static bool make_door(const struct way *w, bool sends)
{
	(void)sends;
	return ferry_listen(&door, at(w->address)) == 0;
}

static bool connect_to_it(const struct way *w, bool sends)
{
	(void)sends;
	return ferry_open(&mine, at(w->address), FERRY_DUPLEX) == 0;
}

static bool accept_it(const struct way *w, bool sends)
{
	(void)w;
	(void)sends;
	return ferry_accept(door, &end, single_soon()) == 0;
}

/* --- who receives is first, who sends opens its address -------------------------- */

static bool receive_at(struct ferry_link **out, const struct way *w)
{
	if (ferry_open(out, at(w->address), FERRY_RECV))
		return false;
	snprintf(board->address, sizeof board->address, "%s",
		 ferry_address(*out));
	return true;
}

static bool make_receiver(const struct way *w, bool sends)
{
	return !sends || receive_at(&end, w);
}

static bool join_one_way(const struct way *w, bool sends)
{
	return sends ? ferry_open(&mine, board->address, FERRY_SEND) == 0 :
		       receive_at(&mine, w);
}

static bool meet_one_way(const struct way *w, bool sends)
{
	(void)w;
	return sends || ferry_open(&end, board->address, FERRY_SEND) == 0;
}

/* --- what everybody opens ---------------------------------------------------------- */

static bool make_queue(const struct way *w, bool sends)
{
	(void)sends;
	return ferry_open(&end, at(w->address), FERRY_DUPLEX) == 0;
}

static bool join_queue(const struct way *w, bool sends)
{
	(void)sends;
	return ferry_open(&mine, at(w->address), FERRY_DUPLEX) == 0;
}

/* --- signals ------------------------------------------------------------------------- */

/* Only who sends is killed: the signals of a process are gone with it. */
static bool make_signal(const struct way *w, bool sends)
{
	signal(SIGRTMIN + 1, SIG_IGN);
	snprintf(board->address, sizeof board->address,
		 "signal:%d?signal=RTMIN+1", (int)getpid());
	return !sends || ferry_open(&end, w->address, FERRY_RECV) == 0;
}

static bool join_signal(const struct way *w, bool sends)
{
	if (sends)
		return ferry_open(&mine, board->address, FERRY_SEND) == 0;
	snprintf(board->address, sizeof board->address,
		 "signal:%d?signal=RTMIN+1", (int)getpid());
	return ferry_open(&mine, w->address, FERRY_RECV) == 0;
}

#define PAIR .make = make_pair, .ended = -ENODATA, .gone = -ECONNRESET
#define SERVED                                                                 \
	.make = make_door, .join = connect_to_it, .meet = accept_it,           \
	.ended = -ENODATA, .gone = -ECONNRESET
#define ONE_WAY                                                                \
	.make = make_receiver, .join = join_one_way, .meet = meet_one_way,     \
	.after = true
#define QUEUE                                                                  \
	.make = make_queue, .join = join_queue, .ended = -EAGAIN, .gone = 0

const struct way ways[] = {
	{ .name = "pipe",
	  .address = "pipe:?framing=len32",
	  .can = SENDS | RECEIVES | STREAM | SHUTS,
	  PAIR },
	{ .name = "pipe duplex",
	  .address = "pipe:?duplex&framing=len32",
	  .can = SENDS | RECEIVES | STREAM | SHUTS,
	  PAIR },
	{ .name = "fifo",
	  .address = "fifo:%s/f?framing=len32",
	  .can = SENDS | STREAM | SHUTS,
	  ONE_WAY,
	  .ended = -ENODATA },
	{ .name = "fifo, made by the victim",
	  .address = "fifo:%s/f?framing=len32",
	  .can = RECEIVES | STREAM | STAYS,
	  ONE_WAY,
	  .gone = -ECONNRESET },
	{ .name = "fifo duplex",
	  .address = "fifo:%s/f?duplex&framing=len32",
	  .can = SENDS | RECEIVES | STREAM | SHUTS,
	  SERVED },
	{ .name = "fifo, accepted",
	  .address = "fifo:%s/f?framing=len32",
	  .can = SENDS | RECEIVES | STREAM | SHUTS,
	  SERVED },
	{ .name = "unix stream",
	  .address = "unix:%s/s?framing=len32",
	  .can = SENDS | RECEIVES | STREAM | SHUTS,
	  SERVED },
	{ .name = "unix stream, abstract",
	  .address = "unix:@ferry-crash-%d?framing=len32",
	  .can = SENDS | RECEIVES,
	  SERVED },
	{ .name = "unix seqpacket",
	  .address = "unix:%s/s?type=seqpacket",
	  .can = SENDS | RECEIVES | CARRIES | LENDS | TELLS | SHUTS,
	  SERVED },
	{ .name = "unix seqpacket pair",
	  .address = "unix:?type=seqpacket",
	  .can = SENDS | RECEIVES | CARRIES,
	  PAIR },
	{ .name = "unix dgram",
	  .address = "unix:%s/s?type=dgram",
	  .can = SENDS | RECEIVES | CARRIES | LENDS | TELLS,
	  ONE_WAY,
	  .ended = -EAGAIN,
	  .gone = -ECONNRESET },
	{ .name = "unix dgram, abstract",
	  .address = "unix:@ferry-crash-%d?type=dgram",
	  .can = SENDS | RECEIVES | CARRIES,
	  ONE_WAY,
	  .ended = -EAGAIN,
	  .gone = -ECONNRESET },
	{ .name = "tcp",
	  .address = "tcp::%d?framing=len32",
	  .can = SENDS | RECEIVES | STREAM | SHUTS | LATE,
	  SERVED },
	{ .name = "udp",
	  .address = "udp::0",
	  .can = SENDS | RECEIVES | LENDS | TELLS | LATE,
	  ONE_WAY,
	  .ended = -EAGAIN,
	  .gone = -ECONNREFUSED },
	{ .name = "mq",
	  .address = "mq:/ferry-crash-%d?max=64",
	  .can = SENDS | RECEIVES | LENDS | TELLS | GIVES | KEEPS,
	  QUEUE },
	{ .name = "sysv",
	  .address = "sysv:%d",
	  .can = SENDS | RECEIVES | LENDS | GIVES | KEEPS,
	  QUEUE },
	{ .name = "sysv, by a path",
	  .address = "sysv:%s/q",
	  .can = SENDS | RECEIVES | LENDS | GIVES | KEEPS,
	  QUEUE },
	{ .name = "file",
	  .address = "file:%s/log",
	  .can = SENDS | RECEIVES | LENDS | TELLS | KEEPS | FOR_ALL,
	  QUEUE },
	{ .name = "file sync",
	  .address = "file:%s/log?sync",
	  .can = SENDS | KEEPS | FOR_ALL,
	  QUEUE },
	{ .name = "signal",
	  .address = "signal:self?signals=RTMIN+1",
	  .can = SENDS | VALUES,
	  .make = make_signal,
	  .join = join_signal,
	  .ended = -EAGAIN },
	{ .name = "signal, to the victim",
	  .address = "signal:self?signals=RTMIN+1",
	  .can = RECEIVES | LENDS | TELLS | VALUES,
	  .make = make_signal,
	  .join = join_signal,
	  .meet = meet_one_way,
	  .after = true,
	  .gone = -ECONNRESET },
	{ .name = "fd of a pipe",
	  .address = "?framing=len32",
	  .can = SENDS | RECEIVES | STREAM,
	  .make = make_fd_pipe,
	  .ended = -ENODATA,
	  .gone = -ECONNRESET },
	{ .name = "fd of a socket",
	  .address = "",
	  .can = SENDS | RECEIVES | LENDS | TELLS,
	  .make = make_fd_socket,
	  .ended = -ENODATA,
	  .gone = -ECONNRESET },
	{ 0 },
};
