/* SPDX-License-Identifier: MIT */
/* What only unix: has: doors, peers, and programs without Ferry. */
#include <sys/socket.h>
#include <sys/un.h>

#include "conform.h"
#include "unix.h"

char path[100], address[120];
static struct ferry_link *door;

void set_path(const char *keys)
{
	snprintf(path, sizeof path, "%s/s", place);
	snprintf(address, sizeof address, "unix:%s%s", path, keys);
}

static struct sockaddr_un raw_address(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, path);
	return a;
}

int raw_bound(int type)
{
	struct sockaddr_un a = raw_address();
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

int raw_listener(int type)
{
	int fd = raw_bound(type);

	ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

int raw_client(int type)
{
	struct sockaddr_un a = raw_address();
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

/* --- doors and peers ----------------------------------------------------- */

START_TEST(accept_keeps_its_deadline_and_can_be_cancelled)
{
	struct ferry_link *l = NULL;

	set_path("");
	ok(NULL, ferry_listen(&door, address));
	fails(door, ferry_accept(door, &l, FERRY_NOWAIT), -EAGAIN);
	fails(door, ferry_accept(door, &l, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	ferry_cancel(door);
	fails(door, ferry_accept(door, &l, FERRY_FOREVER), -ECANCELED);
	ck_assert_ptr_null(l);
	fails(door, ferry_send(door, "x", 1, SOON), -EINVAL);
	ferry_close(door);
}
END_TEST

START_TEST(what_does_not_listen_cannot_accept)
{
	struct ferry_link *ends[2], *l;

	ok(NULL, ferry_pair(ends, "unix:"));
	receiver = ends[0];
	sender = ends[1];
	fails(sender, ferry_accept(sender, &l, SOON), -EINVAL);
}
END_TEST

START_TEST(another_type_is_refused_with_a_hint)
{
	set_path("?type=seqpacket");
	ok(NULL, ferry_listen(&door, address));
	set_path("");
	fails(NULL, ferry_open(&sender, address, FERRY_SEND), -EPROTOTYPE);
	ferry_close(door);
}
END_TEST

START_TEST(the_kernel_says_who_the_peer_is)
{
	struct ferry_process p;
	int status;
	pid_t pid;

	set_path("");
	ok(NULL, ferry_listen(&door, address));
	pid = fork();
	if (pid == 0) {
		char c[1];

		status = ferry_open(&sender, address, FERRY_DUPLEX);
		_exit(status || ferry_read(sender, c, 1, SOON) != 1);
	}
	ok(door, ferry_accept(door, &receiver, SOON));
	ok(receiver, ferry_peer(receiver, &p));
	ck_assert_int_eq(p.pid, pid);
	ck_assert_uint_eq(p.uid, getuid());
	ck_assert_int_eq(p.proof, FERRY_KERNEL);
	ck_assert_uint_gt(p.start_time, 0);
	ck_assert_uint_gt(strlen(p.name), 0);
	ok(receiver, ferry_write(receiver, "x", 1, SOON));
	expect_exit(pid, 0);
	ok(receiver, ferry_peer(receiver, &p));
	ck_assert_int_eq(p.pid, pid);
	ferry_close(door);
}
END_TEST

START_TEST(a_peer_gone_with_something_unread_is_a_reset)
{
	static const char *const keys[] = { "", "?type=seqpacket" };
	char buf[10];

	for (int i = 0; i < 2; i++) {
		int fd;

		set_path(keys[i]);
		ok(NULL, ferry_listen(&door, address));
		fd = raw_client(i ? SOCK_SEQPACKET : SOCK_STREAM);
		ok(door, ferry_accept(door, &receiver, SOON));
		ck_assert_int_eq(write(fd, "last", 4), 4);
		if (i)
			send_text(receiver, "unread");
		else
			ok(receiver, ferry_write(receiver, "unread", 6, SOON));
		close(fd);
		for (int k = 0; k < 3; k++) {
			ssize_t n = i ? ferry_recv(receiver, buf, 10, SOON) :
					ferry_read(receiver, buf, 10, SOON);

			if (k == 0)
				ck_assert_int_eq(n, 4);
			else
				fails(receiver, n, -ECONNRESET);
		}
		close_end(&receiver);
		ferry_close(door);
	}
}
END_TEST

/* --- programs without Ferry ---------------------------------------------- */

START_TEST(a_plain_client_talks_to_a_door)
{
	char buf[20];
	int fd;

	set_path("?framing=line");
	ok(NULL, ferry_listen(&door, address));
	fd = raw_client(SOCK_STREAM);
	ok(door, ferry_accept(door, &receiver, SOON));
	ck_assert_int_eq(write(fd, "ping\npi", 7), 7);
	expect_text(receiver, "ping");
	send_text(receiver, "pong");
	ck_assert_int_eq(read(fd, buf, sizeof buf), 5);
	ck_assert_mem_eq(buf, "pong\n", 5);
	close(fd);
	ferry_close(door);
}
END_TEST

START_TEST(a_plain_server_is_talked_to)
{
	char buf[20];
	int listener, fd;

	set_path("?type=seqpacket");
	listener = raw_listener(SOCK_SEQPACKET);
	ok(NULL, ferry_open(&sender, address, FERRY_DUPLEX));
	fd = accept(listener, NULL, NULL);
	send_text(sender, "ping");
	ck_assert_int_eq(read(fd, buf, sizeof buf), 4);
	ck_assert_int_eq(send(fd, "", 0, 0), 0);
	ck_assert_int_eq(send(fd, "pong", 4, 0), 4);
	expect_text(sender, "");
	expect_text(sender, "pong");
	close(fd);
	fails(sender, ferry_recv(sender, buf, sizeof buf, SOON), -ENODATA);
	close(listener);
	unlink(path);
}
END_TEST

START_TEST(descriptors_that_nobody_asked_for_are_not_kept)
{
	char bytes[CMSG_SPACE(sizeof(int))] = "", buf[10];
	struct iovec v = { (void *)"hi", 2 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = bytes,
			    .msg_controllen = sizeof bytes };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd, zero = 0, before;

	set_path("?type=seqpacket");
	ok(NULL, ferry_listen(&door, address));
	fd = raw_client(SOCK_SEQPACKET);
	ok(door, ferry_accept(door, &receiver, SOON));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof zero);
	memcpy(CMSG_DATA(c), &zero, sizeof zero);
	ck_assert_int_eq(sendmsg(fd, &m, 0), 2);
	before = count_fds();
	ck_assert_int_eq(ferry_recv(receiver, buf, sizeof buf, SOON), 2);
	ck_assert_int_eq(count_fds(), before);
	close(fd);
	ferry_close(door);
}
END_TEST

void add_unix_tests(TCase *tc)
{
	tcase_add_test(tc, accept_keeps_its_deadline_and_can_be_cancelled);
	tcase_add_test(tc, what_does_not_listen_cannot_accept);
	tcase_add_test(tc, another_type_is_refused_with_a_hint);
	tcase_add_test(tc, the_kernel_says_who_the_peer_is);
	tcase_add_test(tc, a_peer_gone_with_something_unread_is_a_reset);
	tcase_add_test(tc, a_plain_client_talks_to_a_door);
	tcase_add_test(tc, a_plain_server_is_talked_to);
	tcase_add_test(tc, descriptors_that_nobody_asked_for_are_not_kept);
}
