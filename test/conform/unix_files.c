/* SPDX-License-Identifier: MIT */
/* Socket files: whose they are, which are dead, and who may replace them. */
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "conform.h"
#include "unix.h"

static struct ferry_link *door;

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

START_TEST(who_comes_second_is_no_client_of_the_first)
{
	static const char *const keys[] = { "", "?type=seqpacket" };
	struct ferry_link *second = NULL;

	for (int i = 0; i < 2; i++) {
		set_path(keys[i]);
		ok(NULL, ferry_listen(&door, address));
		fails(NULL, ferry_listen(&second, address), -EBUSY);
		fails(door, ferry_accept(door, &second, FERRY_NOWAIT), -EAGAIN);
		fails(NULL, ferry_destroy(address), -EBUSY);
		fails(door, ferry_accept(door, &second, FERRY_NOWAIT), -EAGAIN);
		ferry_close(door);
	}
}
END_TEST

START_TEST(a_server_that_does_not_listen_yet_is_alive)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	static const char *const keys[] = { "", "?type=seqpacket",
					    "?type=dgram" };

	for (int i = 0; i < 9; i++) {
		int fd;

		set_path("");
		fd = raw_bound(types[i / 3]);
		set_path(keys[i % 3]);
		fails(NULL,
		      i % 3 == 2 ? ferry_open(&receiver, address, FERRY_RECV) :
				   ferry_listen(&door, address),
		      -EBUSY);
		ck_assert(exists());
		close(fd);
		ok(NULL, ferry_destroy(address));
	}
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
	char c, word[4];
	int err;

	if (read(start, &c, 1) != 0)
		_exit(9);
	err = ferry_listen(&l, address);
	if (err)
		_exit(err == -EBUSY ? 1 : 2);
	/* The others looked whether we live, and left nothing in the queue. */
	err = ferry_accept(l, &peer, SOON);
	_exit(!err && ferry_recv(peer, word, sizeof word, SOON) == 4 ? 0 : 3);
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

static void is_locked(int err)
{
	char why[400];

	ferry_explain(NULL, err, why, sizeof why);
	ck_assert_int_eq(err, -ETIMEDOUT);
	ck_assert_msg(strstr(why, "keeps its directory locked"), "%s", why);
}

START_TEST(a_locked_directory_is_waited_for)
{
	int dir;

	dir = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(flock(dir, LOCK_EX), 0);
	set_path("?type=dgram&timeout=60ms");
	is_locked(ferry_open(&receiver, address, FERRY_RECV));
	set_path("?timeout=60ms");
	is_locked(ferry_listen(&door, address));
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

START_TEST(the_file_of_a_dead_server_can_be_removed_and_no_other)
{
	int fd;

	set_path("");
	fails(NULL, ferry_destroy(address), -ENOENT);
	fd = raw_listener(SOCK_SEQPACKET);
	fails(NULL, ferry_destroy(address), -EBUSY);
	ck_assert(exists());
	close(fd);
	ok(NULL, ferry_destroy(address));
	ck_assert(!exists());
	ok(NULL, ferry_listen(&door, address));
	fails(NULL, ferry_destroy(address), -EBUSY);
	ok(NULL, ferry_open(&sender, address, FERRY_SEND));
	ferry_close(door);
	fd = open(path, O_CREAT | O_CLOEXEC | O_RDWR, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	fails(NULL, ferry_destroy(address), -EINVAL);
	ck_assert(exists());
	ck_assert_int_eq(unlink(path), 0);
	fails(NULL, ferry_destroy("unix:@name"), -EOPNOTSUPP);
	fails(NULL, ferry_destroy("unix:"), -EINVAL);
	fails(NULL, ferry_destroy("tcp:127.0.0.1:1"), -EOPNOTSUPP);
	fails(NULL, ferry_destroy("channel:name"), -EOPNOTSUPP);
	fails(NULL, ferry_destroy("fd:0"), -EOPNOTSUPP);
}
END_TEST

void add_unix_file_tests(TCase *tc)
{
	tcase_add_test(tc,
		       the_file_of_a_dead_server_can_be_removed_and_no_other);
	tcase_add_test(tc, a_door_removes_its_file);
	tcase_add_test(tc, the_file_of_a_dead_server_is_replaced);
	tcase_add_test(tc, the_file_of_a_killed_door_is_replaced);
	tcase_add_test(tc, a_live_server_is_not_replaced);
	tcase_add_test(tc, who_comes_second_is_no_client_of_the_first);
	tcase_add_test(tc, a_server_that_does_not_listen_yet_is_alive);
	tcase_add_test(tc, a_server_with_a_full_backlog_is_alive);
	tcase_add_test(tc, what_is_not_a_socket_is_left_alone);
	tcase_add_test(tc, a_forked_child_that_closes_the_door_leaves_the_file);
	tcase_add_test(tc, a_door_leaves_a_file_that_is_no_longer_its_own);
	tcase_add_test(tc,
		       of_many_who_start_at_once_one_gets_the_dead_ones_place);
	tcase_add_test(tc, a_locked_directory_is_waited_for);
	tcase_add_test(tc, the_files_mode_is_as_asked_whatever_the_umask);
}
