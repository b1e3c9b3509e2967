/* SPDX-License-Identifier: MIT */
/* What only unix: has: socket files, doors, peers, and programs without Ferry. */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "conform.h"

static char path[100], address[120];
static struct ferry_link *door;

static void set_path(const char *keys)
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

static int raw_listener(int type)
{
	struct sockaddr_un a = raw_address();
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

static int raw_client(int type)
{
	struct sockaddr_un a = raw_address();
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static bool exists(void)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* --- socket files -------------------------------------------------------- */

START_TEST(a_door_removes_its_file)
{
	set_path("");
	ok(NULL, ferry_listen(&door, address));
	ck_assert(exists());
	ferry_close(door);
	ck_assert(!exists());
}
END_TEST

START_TEST(the_file_of_a_dead_server_is_replaced)
{
	set_path("");
	close(raw_listener(SOCK_STREAM));
	ck_assert(exists());
	fails(NULL, ferry_open(&sender, address, FERRY_SEND), -ECONNREFUSED);
	ok(NULL, ferry_listen(&door, address));
	ok(NULL, ferry_open(&sender, address, FERRY_SEND));
	ferry_close(door);
}
END_TEST

START_TEST(the_file_of_a_killed_door_is_replaced)
{
	pid_t pid;
	int ready[2];
	char c;

	set_path("");
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (ferry_listen(&door, address) != 0 ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	fails(NULL, ferry_listen(&door, address), -EBUSY);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(NULL, ferry_listen(&door, address));
	ferry_close(door);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

START_TEST(a_live_server_is_not_replaced)
{
	struct ferry_link *second = NULL;
	int fd;

	set_path("");
	fd = raw_listener(SOCK_STREAM);
	fails(NULL, ferry_listen(&second, address), -EBUSY);
	set_path("?type=seqpacket");
	fails(NULL, ferry_listen(&second, address), -EBUSY);
	ck_assert(exists());
	close(fd);
	unlink(path);
	snprintf(address, sizeof address, "unix:@ferry-busy-%d", getpid());
	ok(NULL, ferry_listen(&door, address));
	fails(NULL, ferry_listen(&second, address), -EBUSY);
	ferry_close(door);
}
END_TEST

START_TEST(a_server_with_a_full_backlog_is_alive)
{
	int listener, clients[8], n = 0;

	set_path("");
	listener = raw_listener(SOCK_STREAM);
	listen(listener, 0);
	clients[n++] = raw_client(SOCK_STREAM);
	fails(NULL, ferry_listen(&door, address), -EBUSY);
	set_path("?timeout=50ms");
	for (int i = 0; i < 3; i++) {
		struct ferry_link *l;
		int err = ferry_open(&l, address, FERRY_SEND);

		if (err) {
			fails(NULL, err, -ETIMEDOUT);
			n = 0;
			break;
		}
		ferry_close(l);
	}
	ck_assert_int_eq(n, 0);
	close(clients[0]);
	close(listener);
	unlink(path);
}
END_TEST

START_TEST(what_is_not_a_socket_is_left_alone)
{
	int fd;

	set_path("");
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	fails(NULL, ferry_listen(&door, address), -EEXIST);
	ck_assert(exists());
	close(fd);
	unlink(path);
	ck_assert_int_eq(symlink("/nowhere", path), 0);
	fails(NULL, ferry_listen(&door, address), -EEXIST);
	unlink(path);
}
END_TEST

START_TEST(a_forked_child_that_closes_the_door_leaves_the_file)
{
	pid_t pid;

	set_path("");
	ok(NULL, ferry_listen(&door, address));
	pid = fork();
	if (pid == 0) {
		ferry_close(door);
		_exit(0);
	}
	expect_exit(pid, 0);
	ck_assert(exists());
	ferry_close(door);
	ck_assert(!exists());
}
END_TEST

START_TEST(a_door_leaves_a_file_that_is_no_longer_its_own)
{
	int other;

	set_path("");
	ok(NULL, ferry_listen(&door, address));
	unlink(path);
	other = raw_listener(SOCK_STREAM);
	ferry_close(door);
	ck_assert(exists());
	close(other);
	unlink(path);
}
END_TEST

/* Starts at once with the others; 0: it got the door and was connected to. */
static void compete(int start)
{
	struct ferry_link *l, *peer;
	char c;
	int err;

	if (read(start, &c, 1) != 0)
		_exit(9);
	err = ferry_listen(&l, address);
	if (err)
		_exit(err == -EBUSY ? 1 : 2);
	err = ferry_accept(l, &peer, SOON);
	/* Probes of the others connect, too: stay until the parent has come. */
	while (!err) {
		char word[4];

		if (ferry_recv(peer, word, sizeof word, SOON) == 4)
			_exit(0);
		ferry_close(peer);
		err = ferry_accept(l, &peer, SOON);
	}
	_exit(3);
}

#define N_STARTERS 12

START_TEST(of_many_who_start_at_once_one_gets_the_dead_ones_place)
{
	int start[2], status, won = 0, lost = 0;
	pid_t pids[N_STARTERS];

	for (int round = 0; round < 5; round++) {
		set_path("?framing=line");
		close(raw_listener(SOCK_STREAM));
		ck_assert_int_eq(pipe2(start, O_CLOEXEC), 0);
		for (int i = 0; i < N_STARTERS; i++)
			if ((pids[i] = fork()) == 0) {
				close(start[1]);
				compete(start[0]);
			}
		close(start[0]);
		close(start[1]);
		for (int i = 0; i < N_STARTERS - 1; i++) {
			ck_assert_int_gt(wait(&status), 0);
			lost += WEXITSTATUS(status) == 1;
		}
		ok(NULL, ferry_open(&sender, address, FERRY_SEND));
		send_text(sender, "done");
		ck_assert_int_gt(wait(&status), 0);
		won += WIFEXITED(status) && WEXITSTATUS(status) == 0;
		close_end(&sender);
		unlink(path);
	}
	(void)pids;
	ck_assert_int_eq(lost, 5 * (N_STARTERS - 1));
	ck_assert_int_eq(won, 5);
}
END_TEST

START_TEST(a_locked_directory_is_waited_for)
{
	int dir;

	set_path("?timeout=60ms");
	dir = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(flock(dir, LOCK_EX), 0);
	fails(NULL, ferry_listen(&door, address), -ETIMEDOUT);
	ck_assert(!exists());
	close(dir);
	ok(NULL, ferry_listen(&door, address));
	ferry_close(door);
}
END_TEST

START_TEST(the_files_mode_is_as_asked_whatever_the_umask)
{
	struct stat st;

	umask(0777);
	set_path("?mode=0660");
	ok(NULL, ferry_listen(&door, address));
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	ferry_close(door);
	umask(0);
	set_path("");
	ok(NULL, ferry_listen(&door, address));
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ferry_close(door);
}
END_TEST

/* --- doors and peers ----------------------------------------------------- */

START_TEST(accept_keeps_its_deadline_and_can_be_cancelled)
{
	struct ferry_link *l = NULL;

	set_path("");
	ok(NULL, ferry_listen(&door, address));
	fails(door, ferry_accept(door, &l, FERRY_NOWAIT), -EAGAIN);
	fails(door, ferry_accept(door, &l, ferry_after(SHORT_TIME)), -ETIMEDOUT);
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

START_TEST(a_peer_killed_with_something_unread_is_a_reset_behind_its_data)
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
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
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
	tcase_add_test(tc, a_door_removes_its_file);
	tcase_add_test(tc, the_file_of_a_dead_server_is_replaced);
	tcase_add_test(tc, the_file_of_a_killed_door_is_replaced);
	tcase_add_test(tc, a_live_server_is_not_replaced);
	tcase_add_test(tc, a_server_with_a_full_backlog_is_alive);
	tcase_add_test(tc, what_is_not_a_socket_is_left_alone);
	tcase_add_test(tc, a_forked_child_that_closes_the_door_leaves_the_file);
	tcase_add_test(tc, a_door_leaves_a_file_that_is_no_longer_its_own);
	tcase_add_test(tc,
		       of_many_who_start_at_once_one_gets_the_dead_ones_place);
	tcase_add_test(tc, a_locked_directory_is_waited_for);
	tcase_add_test(tc, the_files_mode_is_as_asked_whatever_the_umask);
	tcase_add_test(tc, accept_keeps_its_deadline_and_can_be_cancelled);
	tcase_add_test(tc, what_does_not_listen_cannot_accept);
	tcase_add_test(tc, another_type_is_refused_with_a_hint);
	tcase_add_test(tc, the_kernel_says_who_the_peer_is);
	tcase_add_test(
		tc, a_peer_killed_with_something_unread_is_a_reset_behind_its_data);
	tcase_add_test(tc, a_plain_client_talks_to_a_door);
	tcase_add_test(tc, a_plain_server_is_talked_to);
	tcase_add_test(tc, descriptors_that_nobody_asked_for_are_not_kept);
}
