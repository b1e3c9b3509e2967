/* SPDX-License-Identifier: MIT */
/* What only fd: has: descriptors that belong to somebody else. */
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "conform.h"

static struct ferry_link *open_fd(int fd, unsigned flags, const char *keys)
{
	struct ferry_link *l = NULL;
	char address[60];

	snprintf(address, sizeof address, "fd:%d%s", fd, keys);
	ok(NULL, ferry_open(&l, address, flags));
	return l;
}

static int refuse_fd(int fd, unsigned flags)
{
	struct ferry_link *l = NULL;
	char address[60];

	snprintf(address, sizeof address, "fd:%d", fd);
	return ferry_open(&l, address, flags);
}

START_TEST(closing_the_link_leaves_the_descriptor_open)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	sender = open_fd(fds[1], FERRY_SEND, "");
	close_end(&sender);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* They belong to the description, which others may share. */
START_TEST(the_flags_of_a_description_stay_as_they_are)
{
	int fds[2], socks[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks), 0);
	receiver = open_fd(fds[0], FERRY_RECV, "");
	fails(receiver, ferry_read(receiver, &(char){ 0 }, 1, FERRY_NOWAIT),
	      -EAGAIN);
	close_end(&receiver);
	receiver = open_fd(socks[0], FERRY_DUPLEX, "");
	fails(receiver, ferry_read(receiver, &(char){ 0 }, 1, FERRY_NOWAIT),
	      -EAGAIN);
	ck_assert_int_eq(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(fcntl(socks[0], F_GETFL) & O_NONBLOCK, 0);
	for (int i = 0; i < 2; i++) {
		close(fds[i]);
		close(socks[i]);
	}
}
END_TEST

START_TEST(the_direction_must_be_the_descriptors)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	fails(NULL, refuse_fd(fds[0], FERRY_SEND), -EINVAL);
	fails(NULL, refuse_fd(fds[1], FERRY_RECV), -EINVAL);
	fails(NULL, refuse_fd(fds[1], FERRY_DUPLEX), -EINVAL);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(what_is_no_stream_and_no_socket_is_refused)
{
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int event = eventfd(0, EFD_CLOEXEC);
	int path = open("/etc/passwd", O_PATH | O_CLOEXEC);
	int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int tcp = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	fails(NULL, refuse_fd(dir, FERRY_RECV), -EOPNOTSUPP);
	fails(NULL, refuse_fd(event, FERRY_DUPLEX), -EOPNOTSUPP);
	fails(NULL, refuse_fd(path, FERRY_RECV), -ENOENT);
	fails(NULL, refuse_fd(udp, FERRY_SEND), -EOPNOTSUPP);
	fails(NULL, refuse_fd(tcp, FERRY_RECV), -EOPNOTSUPP);
	listen(tcp, 1);
	fails(NULL, refuse_fd(tcp, FERRY_RECV), -EOPNOTSUPP);
	close(dir);
	close(event);
	close(path);
	close(udp);
	close(tcp);
}
END_TEST

START_TEST(a_file_is_read_by_lines_to_its_end)
{
	char name[100];
	int fd;

	snprintf(name, sizeof name, "%s/file", place);
	fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	unlink(name);
	sender = open_fd(fd, FERRY_SEND, "?framing=line");
	send_text(sender, "one");
	send_text(sender, "two");
	lseek(fd, 0, SEEK_SET);
	receiver = open_fd(fd, FERRY_RECV, "?framing=line");
	close(fd);
	expect_text(receiver, "one");
	expect_text(receiver, "two");
	fails(receiver, ferry_recv(receiver, NULL, 0, SOON), -ENODATA);
}
END_TEST

START_TEST(a_terminal_is_a_stream_and_its_hang_up_the_end)
{
	int master, slave;
	char buf[20];

	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	receiver = open_fd(master, FERRY_DUPLEX, "");
	fails(receiver,
	      ferry_read(receiver, buf, sizeof buf, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	ck_assert_int_eq(write(slave, "hi", 2), 2);
	ck_assert_int_eq(ferry_read(receiver, buf, sizeof buf, SOON), 2);
	close(slave);
	fails(receiver, ferry_read(receiver, buf, sizeof buf, SOON), -ENODATA);
	close(master);
}
END_TEST

START_TEST(datagrams_are_messages_and_empty_ones_too)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds),
			 0);
	receiver = open_fd(fds[0], FERRY_DUPLEX, "");
	sender = open_fd(fds[1], FERRY_DUPLEX, "");
	ok(sender, ferry_send(sender, NULL, 0, SOON));
	send_text(sender, "hello");
	expect_text(receiver, "");
	fails(receiver, ferry_recv(receiver, NULL, 0, SOON), -EMSGSIZE);
	expect_text(receiver, "hello");
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* --- SIGPIPE ------------------------------------------------------------- */

static int signals;

static void on_pipe(int signal)
{
	(void)signal;
	signals++;
}

START_TEST(a_broken_pipe_raises_no_signal_and_swallows_none)
{
	struct ferry_link *ends[2];
	sigset_t set, pending;

	ok(NULL, ferry_pair(ends, "pipe:"));
	ferry_close(ends[0]);
	sender = ends[1];
	signal(SIGPIPE, on_pipe);
	fails(sender, ferry_write(sender, "x", 1, SOON), -ECONNRESET);
	ck_assert_int_eq(signals, 0);

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fails(sender, ferry_write(sender, "x", 1, SOON), -ECONNRESET);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 0);

	raise(SIGPIPE); /* the program's own stays pending */
	fails(sender, ferry_write(sender, "x", 1, SOON), -ECONNRESET);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ck_assert_int_eq(signals, 1);
}
END_TEST

/* --- programs without Ferry ---------------------------------------------- */

START_TEST(cat_gives_back_what_it_is_sent)
{
	int to[2], from[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(to, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(from, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execlp("cat", "cat", (char *)NULL);
		_exit(127);
	}
	sender = open_fd(to[1], FERRY_SEND, "?framing=line");
	receiver = open_fd(from[0], FERRY_RECV, "?framing=line");
	for (int i = 0; i < 2; i++) {
		close(to[i]);
		close(from[i]);
	}
	send_text(sender, "through a cat");
	expect_text(receiver, "through a cat");
	ok(sender, ferry_shutdown(sender, FERRY_SEND));
	fails(receiver, ferry_recv(receiver, NULL, 0, SOON), -ENODATA);
	expect_exit(pid, 0);
}
END_TEST

/* Asked of the descriptors themselves: what links opened is close-on-exec. */
START_TEST(no_link_survives_exec)
{
	struct ferry_link *ends[2], *more[2];
	bool before[64];

	for (int fd = 0; fd < 64; fd++)
		before[fd] = fcntl(fd, F_GETFD) >= 0;
	ok(NULL, ferry_pair(ends, "pipe:?duplex"));
	ok(NULL, ferry_pair(more, "unix:"));
	for (int fd = 0; fd < 64; fd++)
		ck_assert(before[fd] || fcntl(fd, F_GETFD) < 0 ||
			  fcntl(fd, F_GETFD) == FD_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		ferry_close(ends[i]);
		ferry_close(more[i]);
	}
}
END_TEST

void add_fd_tests(TCase *tc)
{
	tcase_add_test(tc, closing_the_link_leaves_the_descriptor_open);
	tcase_add_test(tc, the_flags_of_a_description_stay_as_they_are);
	tcase_add_test(tc, the_direction_must_be_the_descriptors);
	tcase_add_test(tc, what_is_no_stream_and_no_socket_is_refused);
	tcase_add_test(tc, a_file_is_read_by_lines_to_its_end);
	tcase_add_test(tc, a_terminal_is_a_stream_and_its_hang_up_the_end);
	tcase_add_test(tc, datagrams_are_messages_and_empty_ones_too);
	tcase_add_test(tc, a_broken_pipe_raises_no_signal_and_swallows_none);
	tcase_add_test(tc, cat_gives_back_what_it_is_sent);
	tcase_add_test(tc, no_link_survives_exec);
}
