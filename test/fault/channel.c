/* SPDX-License-Identifier: MIT */
/*
 * Who is at the other end of a channel and is not what it should be: it passes
 * something else, or nothing, writes anything anywhere, or stands still.  The
 * offsets are those of doc/format.md.
 */
#include "fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NAME	  "channel:strange"
#define AT_FORMAT 8
#define AT_MADE	  48
#define AT_LOG2	  72
#define SEALS	  (F_SEAL_SHRINK | F_SEAL_GROW)
#define SEGMENT	  (4096 + 2 * 64 * 4096)
#define PATIENCE  FERRY_MS(30)

static struct ferry_link *door;

static void listen_there(void)
{
	works(NULL, ferry_listen(&door, NAME));
}

/* A connection by hand. */
static int connect_there(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s",
		 path_of(".channel.strange"));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void pass(int to, const int *fds, size_t n)
{
	char byte = 0, control[CMSG_SPACE(4 * sizeof(int))] = { 0 };
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = n ? control : NULL,
			    .msg_controllen = n ? CMSG_SPACE(n * sizeof(int)) :
						  0 };

	if (n) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(to, &m, 0), 1);
}

/* The descriptor of the memory of a channel that is open here. */
static int find_memory(void)
{
	char path[64], target[64];
	ssize_t n;

	for (int fd = 3; fd < 64; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof target);
		if (n > 12 && strncmp(target, "/memfd:ferry", 12) == 0)
			return fd;
	}
	ck_abort_msg("no memory among the descriptors");
	return -1;
}

static void meet(struct ferry_link *ends[2])
{
	works(NULL, ferry_open(&ends[0], NAME, FERRY_DUPLEX));
	works(door, ferry_accept(door, &ends[1], FERRY_FOREVER));
}

static void part(struct ferry_link *ends[2])
{
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}

static int memory_of(size_t size, int seals)
{
	int fd = memfd_create("strange", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* The bytes of an honest segment in other memory, one of them changed. */
static int copy_of(int memory, size_t size, int seals, long at, uint8_t with)
{
	int fd = memfd_create("strange", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char *bytes = calloc(1, SEGMENT);

	ck_assert_int_eq(pread(memory, bytes, SEGMENT, 0), SEGMENT);
	if (at >= 0)
		bytes[at] = (char)with;
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	free(bytes);
	return fd;
}

static void offer(int memory)
{
	int pair[2], fd = connect_there();

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pass(fd, (int[]){ memory, pair[0], pair[1] }, 3);
	close(memory);
	close(pair[0]);
	close(pair[1]);
	close(fd);
}

static void is_refused(int err, const char *phrase)
{
	struct ferry_link *peer;

	refused(door, ferry_accept(door, &peer, FERRY_FOREVER), err, phrase);
}

START_TEST(memory_that_is_no_channel_is_refused_and_the_door_stays_open)
{
	struct ferry_link *ends[2];
	int memory;

	listen_there();
	meet(ends);
	memory = find_memory();
	offer(memory_of(SEGMENT, 0)); /* it could be cut under us: SIGBUS */
	is_refused(-EBADMSG, "not sealed");
	offer(memory_of(10, SEALS));
	is_refused(-EBADMSG, "no channel");
	offer(memory_of(SEGMENT, SEALS));
	is_refused(-EBADMSG, "no channel");
	offer(copy_of(memory, SEGMENT - 4096, SEALS, -1, 0));
	is_refused(-EBADMSG, "size");
	offer(copy_of(memory, SEGMENT, SEALS, AT_LOG2, 26));
	is_refused(-EBADMSG, "damaged");
	offer(copy_of(memory, SEGMENT, SEALS, AT_MADE + 7, 1));
	is_refused(-EBADMSG, "damaged");
	offer(copy_of(memory, SEGMENT, SEALS, AT_FORMAT, 9));
	is_refused(-EPROTO, "version");
	part(ends);
	meet(ends);
	part(ends);
	ferry_close(door);
}
END_TEST

START_TEST(both_sides_must_want_messages_or_bytes)
{
	struct ferry_link *client, *peer;
	char c;

	listen_there();
	works(NULL, ferry_open(&client, NAME "?framing=stream", FERRY_DUPLEX));
	refused(door, ferry_accept(door, &peer, FERRY_FOREVER), -EPROTOTYPE,
		"wants a stream");
	refused(client, ferry_read(client, &c, 1, FERRY_FOREVER), -ECONNRESET,
		"other side");
	ferry_close(client);
	ferry_close(door);
}
END_TEST

/* Who connects and says nothing, or passes nothing, is in nobody's way. */
START_TEST(silent_connections_do_not_keep_others_out)
{
	struct ferry_link *client, *peer;
	int silent[6];

	listen_there();
	for (unsigned i = 0; i < 6; i++) {
		silent[i] = connect_there();
		refused(door, ferry_accept(door, &peer, FERRY_NOWAIT), -EAGAIN,
			"");
	}
	pass(silent[5], NULL, 0);
	works(NULL, ferry_open(&client, NAME, FERRY_DUPLEX));
	works(client, ferry_send(client, "early", 5, FERRY_NOWAIT));
	works(door, ferry_accept(door, &peer, FERRY_FOREVER));
	ck_assert_int_eq(ferry_next_len(peer), 5);
	ferry_close(peer);
	ferry_close(client);
	for (unsigned i = 0; i < 6; i++)
		close(silent[i]);
	ferry_close(door);
}
END_TEST

/* --- a peer that writes anything --------------------------------------------- */

static uint64_t dice = 88172645463325252ull;

static uint64_t roll(uint64_t sides)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice % sides;
}

static void write_anything(struct child *c, void *arg)
{
	uint8_t *base = arg;

	child_tell(c);
	for (;;)
		switch (roll(4)) {
		case 0: base[roll(SEGMENT)] = (uint8_t)dice; break;
		case 1: /* the control words */
			*(uint64_t *)(base + 1024 + roll(384) * 8) =
				roll(2) ? roll(5000) : dice;
			break;
		case 2: /* words of slots */
			*(uint64_t *)(base + 4096 + roll(8192) * 64) ^=
				UINT64_C(1) << roll(64);
			break;
		case 3:
			*(uint64_t *)(base + 4096 + roll(8192) * 64) =
				roll(2) ? 0 : dice;
			break;
		}
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void is_in_time(int64_t began, long long result)
{
	ck_assert_msg(now_ns() - began < PATIENCE + FERRY_S(2),
		      "a call took %lld ms, and said %s",
		      (long long)(now_ns() - began) / 1000000,
		      ferry_error_name((int)result));
}

START_TEST(a_peer_that_writes_anything_delays_nobody)
{
	static char buf[1 << 17];
	struct ferry_link *ends[2];
	struct ferry_message m;
	struct child writer;
	int64_t began;
	long long r;
	void *base;

	works(NULL, ferry_pair(ends, "channel:"));
	base = mmap(NULL, SEGMENT, PROT_READ | PROT_WRITE, MAP_SHARED,
		    find_memory(), 0);
	ck_assert_ptr_ne(base, MAP_FAILED);
	writer = child_start(write_anything, base);
	child_hear(&writer);
	for (int64_t end = now_ns() + FERRY_S(2); now_ns() < end;) {
		began = now_ns();
		r = ferry_send(ends[0], buf, roll(100000),
			       ferry_after(PATIENCE));
		is_in_time(began, r);
		began = now_ns();
		r = ferry_recv(ends[roll(2)], buf, sizeof buf,
			       ferry_after(PATIENCE));
		is_in_time(began, r);
		if (ferry_take(ends[1], &m, FERRY_NOWAIT) == 0)
			ferry_release(&m);
	}
	child_kill(&writer);
	part(ends);
}
END_TEST

/* Every socket that there is, the bells among them. */
static void flood(struct child *c, void *arg)
{
	static char bytes[1 << 16];

	(void)arg;
	child_tell(c);
	for (;;)
		for (int fd = 3; fd < 32; fd++)
			send(fd, bytes, sizeof bytes,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
}

START_TEST(a_peer_that_rings_for_ever_delays_nobody)
{
	struct ferry_link *ends[2];
	struct child ringer;
	int64_t began;
	char byte;

	works(NULL, ferry_pair(ends, "channel:"));
	ringer = child_start(flood, NULL);
	child_hear(&ringer);
	for (unsigned i = 0; i < 20; i++) {
		began = now_ns();
		ck_assert_int_eq(ferry_recv(ends[0], &byte, 1,
					    ferry_after(PATIENCE)),
				 -ETIMEDOUT);
		is_in_time(began, -ETIMEDOUT);
	}
	child_kill(&ringer);
	part(ends);
}
END_TEST

/* --- a peer that stands still --------------------------------------------------- */

static void use_it(struct child *c, void *arg)
{
	struct ferry_link *l = arg;
	char buf[100];

	works(l, ferry_adopt_after_fork(l));
	child_tell(c);
	for (;;)
		if (ferry_recv(l, buf, sizeof buf, FERRY_FOREVER) >= 0)
			ferry_send(l, buf, 10, FERRY_FOREVER);
}

START_TEST(a_stopped_peer_stops_nobody_beyond_a_deadline)
{
	struct ferry_link *ends[2];
	struct child peer;
	char buf[100] = "0123456789";
	int r;

	works(NULL, ferry_pair(ends, "channel:?ring=16K"));
	peer = child_start(use_it, ends[1]);
	child_hear(&peer);
	ck_assert_int_eq(kill(peer.pid, SIGSTOP), 0);
	while ((r = ferry_send(ends[0], buf, sizeof buf,
			       ferry_after(PATIENCE))) == 0)
		;
	ck_assert_int_eq(r, -ETIMEDOUT);
	ck_assert_int_eq(kill(peer.pid, SIGCONT), 0);
	ferry_close(ends[1]);
	for (unsigned i = 0; i < 50; i++)
		works(ends[0], ferry_recv(ends[0], buf, sizeof buf,
					  ferry_after(FERRY_S(10))));
	child_kill(&peer);
	while ((r = (int)ferry_recv(ends[0], buf, sizeof buf,
				    ferry_after(FERRY_S(10)))) >= 0)
		;
	ck_assert_int_eq(r, -ECONNRESET);
	ferry_close(ends[0]);
}
END_TEST

Suite *channel_suite(void)
{
	TCase *c = fault_case("channel", 40);
	Suite *s = suite_create("channel");

	tcase_add_test(
		c,
		memory_that_is_no_channel_is_refused_and_the_door_stays_open);
	tcase_add_test(c, both_sides_must_want_messages_or_bytes);
	tcase_add_test(c, silent_connections_do_not_keep_others_out);
	tcase_add_test(c, a_peer_that_writes_anything_delays_nobody);
	tcase_add_test(c, a_peer_that_rings_for_ever_delays_nobody);
	tcase_add_test(c, a_stopped_peer_stops_nobody_beyond_a_deadline);
	suite_add_tcase(s, c);
	return s;
}
