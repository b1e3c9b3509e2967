/* SPDX-License-Identifier: MIT */
/* Messages of unix:: datagrams and whom they come from, descriptors with them. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "conform.h"
#include "unix.h"

static struct ferry_message m;

static void receive_at(const char *keys)
{
	set_path(keys);
	ok(NULL, ferry_open(&receiver, address, FERRY_RECV));
}

static void take(struct ferry_link *l, const char *text)
{
	ok(l, ferry_take(l, &m, SOON));
	ck_assert_uint_eq(m.len, strlen(text));
	ck_assert_mem_eq(m.data, text, m.len);
}

/* A plain datagram socket; `name` may be NULL. */
static int raw_datagrams(const char *name, size_t len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!name)
		return fd;
	memcpy(a.sun_path, name, len);
	ck_assert_int_eq(
		bind(fd, (struct sockaddr *)&a,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
		0);
	return fd;
}

static void raw_send(int fd, const char *text)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(a.sun_path, path);
	ck_assert_int_eq(sendto(fd, text, strlen(text), 0,
				(struct sockaddr *)&a, sizeof a),
			 (ssize_t)strlen(text));
}

/* --- datagrams ----------------------------------------------------------- */

START_TEST(who_sent_it_can_be_answered)
{
	char own[200];

	receive_at("?type=dgram");
	ok(NULL, ferry_open(&sender, address, FERRY_DUPLEX));
	ok(sender, ferry_local_address(sender, own, sizeof own));
	ck_assert_int_eq(strncmp(own, "unix:@", 6), 0);
	send_text(sender, "question");
	take(receiver, "question");
	ck_assert_str_eq(m.from, own);
	ok(receiver, ferry_reply(&m, "answer", 6, SOON));
	ok(receiver, ferry_release(&m));
	take(sender, "answer");
	ck_assert_int_eq(strncmp(m.from, "unix:", 5), 0);
	ck_assert_str_eq(m.from + 5, path);
	ok(sender, ferry_release(&m));
	fails(NULL, ferry_listen(&sender, address), -EOPNOTSUPP);
}
END_TEST

static void send_one(void *arg)
{
	struct ferry_link *l;

	(void)arg;
	_exit(ferry_open(&l, address, FERRY_SEND) != 0 ||
	      ferry_send(l, "it is me", 8, SOON) != 0);
}

START_TEST(the_kernel_says_who_sent_it)
{
	static const char *const keys[] = { "?type=dgram", "?type=seqpacket" };
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		struct ferry_link *door = NULL;

		set_path(keys[i]);
		if (i)
			ok(NULL, ferry_listen(&door, address));
		else
			receive_at(keys[i]);
		pid = child(send_one, NULL);
		if (i)
			ok(door, ferry_accept(door, &receiver, SOON));
		take(receiver, "it is me");
		expect_exit(pid, 0);
		ck_assert_int_eq(m.sender.pid, pid);
		ck_assert_uint_eq(m.sender.uid, getuid());
		ck_assert_int_eq(m.sender.proof, FERRY_KERNEL);
		ok(receiver, ferry_release(&m));
		close_end(&receiver);
		ferry_close(door);
	}
}
END_TEST

START_TEST(a_sender_may_have_a_name_of_its_own)
{
	char text[300];

	receive_at("?type=dgram");
	snprintf(text, sizeof text, "%s&bind=%s.own&mode=0640", address, path);
	ok(NULL, ferry_open(&sender, text, FERRY_SEND));
	send_text(sender, "hi");
	take(receiver, "hi");
	snprintf(text, sizeof text, "unix:%s.own", path);
	ck_assert_str_eq(m.from, text);
	ok(receiver, ferry_release(&m));
	snprintf(text, sizeof text, "%s&bind=@x", address);
	fails(NULL, ferry_open(&sender, text, FERRY_RECV), -EINVAL);
	fails(NULL, ferry_open(&sender, "unix:x?bind=@x", FERRY_SEND), -EINVAL);
	fails(NULL, ferry_listen(&sender, "unix:x?bind=@x"), -EINVAL);
	fails(NULL, ferry_open(&sender, "unix:@?type=dgram", FERRY_SEND),
	      -EINVAL);
}
END_TEST

static struct ferry_link *stranger;
static char bound_name[150];

static void send_early(void)
{
	ferry_send_to(stranger, bound_name, "stranger", 8, FERRY_NOWAIT);
}

START_TEST(what_others_sent_before_it_was_connected_is_not_received)
{
	static const char *const names[] = { "%s.own", "@ferry-own-%s" };
	char text[300], buf[20];

	receive_at("?type=dgram");
	ok(NULL, ferry_open(&stranger, "unix:?type=dgram", FERRY_SEND));
	for (int i = 0; i < 2; i++) {
		strcpy(bound_name, "unix:");
		snprintf(bound_name + 5, sizeof bound_name - 5, names[i], path);
		snprintf(text, sizeof text, "%s&bind=%s", address,
			 bound_name + 5);
		before_connect = send_early;
		ok(NULL, ferry_open(&sender, text, FERRY_DUPLEX));
		fails(sender, ferry_recv(sender, buf, sizeof buf, FERRY_NOWAIT),
		      -EAGAIN);
		fails(stranger,
		      ferry_send_to(stranger, bound_name, "x", 1, SOON),
		      -EACCES);
		send_text(sender, "question");
		take(receiver, "question");
		ck_assert_str_eq(m.from, bound_name);
		ok(receiver, ferry_reply(&m, "answer", 6, SOON));
		ok(receiver, ferry_release(&m));
		expect_text(sender, "answer");
		close_end(&sender);
	}
	close_end(&stranger);
}
END_TEST

START_TEST(without_a_destination_each_message_has_one)
{
	char to[150];

	receive_at("?type=dgram");
	snprintf(to, sizeof to, "unix:%s", path);
	ok(NULL, ferry_open(&sender, "unix:?type=dgram", FERRY_DUPLEX));
	fails(sender, ferry_send(sender, "x", 1, SOON), -EINVAL);
	fails(sender, ferry_send_fds(sender, "x", 1, &(int){ 0 }, 1, SOON),
	      -EINVAL);
	ok(sender, ferry_send_to(sender, to, "hi", 2, SOON));
	take(receiver, "hi");
	ok(receiver, ferry_reply(&m, "ho", 2, SOON));
	ok(receiver, ferry_release(&m));
	expect_text(sender, "ho");
	fails(sender, ferry_send_to(sender, "udp::7000", "x", 1, SOON),
	      -EINVAL);
	fails(sender, ferry_send_to(sender, "unix:", "x", 1, SOON), -EINVAL);
	fails(sender, ferry_send_to(sender, address, "x", 1, SOON), -EINVAL);
	fails(sender, ferry_send_to(sender, "unix:/no/such/file", "x", 1, SOON),
	      -ENOENT);
	fails(sender, ferry_send_to(sender, "unix:@ferry-nobody", "x", 1, SOON),
	      -ECONNREFUSED);
	fails(sender, ferry_send_to(sender, to, NULL, 1u << 26, SOON),
	      -EMSGSIZE);
	fails(sender, ferry_shutdown(sender, FERRY_SEND), -EOPNOTSUPP);
}
END_TEST

START_TEST(datagrams_go_to_datagram_sockets_only)
{
	char to[150];
	int fd;

	set_path("?type=dgram");
	snprintf(to, sizeof to, "unix:%s", path);
	fd = raw_listener(SOCK_STREAM);
	fails(NULL, ferry_open(&sender, address, FERRY_SEND), -EPROTOTYPE);
	ok(NULL, ferry_open(&sender, "unix:?type=dgram", FERRY_SEND));
	fails(sender, ferry_send_to(sender, to, "x", 1, SOON), -EPROTOTYPE);
	fails(NULL, ferry_open(&receiver, address, FERRY_RECV), -EBUSY);
	close(fd);
	/* Its file is left: nobody is alive there, so it may be replaced. */
	fails(sender, ferry_send_to(sender, to, "x", 1, SOON), -ECONNREFUSED);
	ok(NULL, ferry_open(&receiver, address, FERRY_RECV));
	ok(sender, ferry_send_to(sender, to, "found", 5, SOON));
	expect_text(receiver, "found");
}
END_TEST

START_TEST(the_place_of_a_dead_receiver_is_taken_and_of_a_live_one_is_not)
{
	struct ferry_link *second = NULL;
	struct stat st;
	int fd;

	set_path("?type=dgram");
	fd = raw_datagrams(path, strlen(path) + 1);
	fails(NULL, ferry_open(&receiver, address, FERRY_RECV), -EBUSY);
	close(fd);
	fails(NULL, ferry_open(&sender, address, FERRY_SEND), -ECONNREFUSED);
	receive_at("?type=dgram&mode=0620");
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0620);
	fails(NULL, ferry_open(&second, address, FERRY_RECV), -EBUSY);
	fails(NULL, ferry_open(&second, address, FERRY_SEND), -EINVAL);
	close_end(&receiver);
	ck_assert_int_ne(lstat(path, &st), 0);
	fails(NULL, ferry_open(&sender, "unix:/no/such?type=dgram", FERRY_SEND),
	      -ENOENT);
}
END_TEST

START_TEST(what_is_no_socket_is_no_destination)
{
	char why[400];

	snprintf(address, sizeof address, "unix:%s?type=dgram", place);
	fails(NULL, ferry_open(&sender, address, FERRY_SEND), -EINVAL);
	ferry_explain(NULL, -EINVAL, why, sizeof why);
	ck_assert_msg(strstr(why, "is not a socket"), "%s", why);
	ok(NULL, ferry_open(&sender, "unix:?type=dgram", FERRY_SEND));
	snprintf(address, sizeof address, "unix:%s", place);
	fails(sender, ferry_send_to(sender, address, "x", 1, SOON), -EINVAL);
}
END_TEST

/* One that is connected to somebody is alive, though it refuses us. */
START_TEST(who_hears_its_destination_only_refuses_others)
{
	char text[300];

	receive_at("?type=dgram");
	snprintf(text, sizeof text, "%s&bind=%s.own", address, path);
	ok(NULL, ferry_open(&sender, text, FERRY_DUPLEX));
	close_end(&receiver);
	ok(NULL, ferry_open(&receiver, "unix:?type=dgram", FERRY_DUPLEX));
	snprintf(text, sizeof text, "unix:%s.own", path);
	fails(receiver, ferry_send_to(receiver, text, "x", 1, SOON), -EACCES);
	strcat(text, "?type=dgram");
	close_end(&receiver);
	fails(NULL, ferry_open(&receiver, text, FERRY_RECV), -EBUSY);
}
END_TEST

static unsigned fill_receiver(const char *to)
{
	unsigned n = 0;
	int err;

	while ((err = ferry_send_to(sender, to, "x", 1, FERRY_NOWAIT)) == 0)
		n++;
	fails(sender, err, -EAGAIN);
	return n;
}

static void *send_late(void *to)
{
	return (void *)(intptr_t)ferry_send_to(sender, to, "late", 4, SOON);
}

START_TEST(a_full_receiver_is_waited_for)
{
	char to[150];
	void *result;
	pthread_t t;
	unsigned n;

	receive_at("?type=dgram");
	snprintf(to, sizeof to, "unix:%s", path);
	ok(NULL, ferry_open(&sender, "unix:?type=dgram", FERRY_SEND));
	n = fill_receiver(to);
	fails(sender,
	      ferry_send_to(sender, to, "x", 1, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	pthread_create(&t, NULL, send_late, to);
	until_asleep(1);
	while (n-- > 0)
		expect_text(receiver, "x");
	expect_text(receiver, "late");
	pthread_join(t, &result);
	ok(sender, (intptr_t)result);
}
END_TEST

START_TEST(senders_without_a_name_that_can_be_written_are_not_answered)
{
	int fd;

	receive_at("?type=dgram");
	fd = raw_datagrams(NULL, 0);
	raw_send(fd, "nameless");
	take(receiver, "nameless");
	ck_assert_ptr_null(m.from);
	ck_assert_int_eq(m.sender.pid, getpid());
	fails(receiver, ferry_reply(&m, "x", 1, SOON), -EOPNOTSUPP);
	ok(receiver, ferry_release(&m));
	close(fd);
	fd = raw_datagrams("\0odd\0name", 9);
	raw_send(fd, "odd");
	take(receiver, "odd");
	ck_assert_ptr_null(m.from);
	ok(receiver, ferry_release(&m));
	close(fd);
	fd = raw_datagrams("\0a ?%", 5);
	raw_send(fd, "quoted");
	take(receiver, "quoted");
	ck_assert_str_eq(m.from, "unix:@a%20%3f%25");
	ok(receiver, ferry_reply(&m, "back", 4, SOON));
	ok(receiver, ferry_release(&m));
	ck_assert_int_eq(recv(fd, path, 4, 0), 4);
	close(fd);
}
END_TEST

/* --- descriptors --------------------------------------------------------- */

static int ends[2]; /* a pipe, to pass */

static void packets(void)
{
	struct ferry_link *both[2];

	ok(NULL, ferry_pair(both, "unix:?type=seqpacket"));
	receiver = both[0];
	sender = both[1];
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
}

static void close_pipe(void)
{
	close(ends[0]);
	close(ends[1]);
}

START_TEST(an_empty_message_may_have_descriptors)
{
	int got[2];
	unsigned n = 2;

	packets();
	ok(sender, ferry_send_fds(sender, NULL, 0, ends, 1, SOON));
	ck_assert_int_eq(ferry_recv_fds(receiver, NULL, 0, got, &n, SOON), 0);
	ck_assert_uint_eq(n, 1);
	close(got[0]);
	ok(sender, ferry_shutdown(sender, FERRY_SEND));
	fails(receiver, ferry_recv_fds(receiver, NULL, 0, got, &n, SOON),
	      -ENODATA);
	close_pipe();
}
END_TEST

START_TEST(what_has_no_room_is_closed_and_told)
{
	int got[2], before;
	unsigned n = 1;
	char buf[4];

	packets();
	before = count_fds();
	ok(sender, ferry_send_fds(sender, "hello", 5, ends, 2, SOON));
	fails(receiver,
	      ferry_recv_fds(receiver, buf, sizeof buf, got, &n, SOON),
	      -EMSGSIZE);
	ck_assert_int_eq(count_fds(), before);
	ck_assert_int_eq(ferry_recv_fds(receiver, path, 5, got, &n, SOON), 5);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(count_fds(), before + 1);
	close(got[0]);
	ok(sender, ferry_send_fds(sender, "taken", 5, ends, 2, SOON));
	take(receiver, "taken");
	ck_assert_int_eq(count_fds(), before);
	ok(receiver, ferry_release(&m));
	close_pipe();
}
END_TEST

START_TEST(a_message_whose_descriptors_have_no_room_stays_first)
{
	struct rlimit old, few;
	int got[FERRY_FDS_MAX], all[FERRY_FDS_MAX], before;
	unsigned n = FERRY_FDS_MAX;
	char buf[8];

	packets();
	for (int i = 0; i < FERRY_FDS_MAX; i++)
		all[i] = ends[0];
	ok(sender, ferry_send_fds(sender, "many", 4, all, FERRY_FDS_MAX, SOON));
	send_text(sender, "next");
	before = count_fds();
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = (rlim_t)ends[1] + 4;
	setrlimit(RLIMIT_NOFILE, &few);
	for (int i = 0; i < 2; i++)
		fails(receiver,
		      ferry_recv_fds(receiver, buf, sizeof buf, got, &n, SOON),
		      -EMFILE);
	setrlimit(RLIMIT_NOFILE, &old);
	ck_assert_int_eq(count_fds(), before);
	ck_assert_int_eq(
		ferry_recv_fds(receiver, buf, sizeof buf, got, &n, SOON), 4);
	ck_assert_uint_eq(n, FERRY_FDS_MAX);
	for (unsigned i = 0; i < n; i++)
		close(got[i]);
	expect_text(receiver, "next");
	close_pipe();
}
END_TEST

START_TEST(a_descriptor_that_is_not_open_is_a_mistake)
{
	packets();
	ends[1] = (close(ends[1]), 999);
	fails(sender, ferry_send_fds(sender, "x", 1, ends, 2, SOON), -EINVAL);
	fails(receiver, ferry_recv(receiver, path, 9, FERRY_NOWAIT), -EAGAIN);
	close(ends[0]);
}
END_TEST

/* "flood", with as many descriptors as the kernel allows. */
static void raw_flood(int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control = { 0 }; /* all of them are descriptor 0 */
	struct iovec v = { (void *)"flood", 5 };
	struct msghdr h = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof control };
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(253 * sizeof(int));
	ck_assert_int_eq(sendmsg(fd, &h, 0), 5);
}

/* A plain client of a door of this type. */
static int raw_peer(const char *keys, int type)
{
	struct ferry_link *door;
	int fd;

	set_path(keys);
	ok(NULL, ferry_listen(&door, address));
	fd = raw_client(type);
	ok(door, ferry_accept(door, &receiver, SOON));
	ferry_close(door);
	return fd;
}

/* More than any Ferry sends: they are counted, and closed. */
START_TEST(a_plain_peer_may_pass_253_and_leaves_none)
{
	int fd = raw_peer("?type=seqpacket", SOCK_SEQPACKET);
	int got[FERRY_FDS_MAX], before = count_fds();
	unsigned n = FERRY_FDS_MAX;

	for (int i = 0; i < 3; i++)
		raw_flood(fd);
	ck_assert_int_eq(ferry_recv_fds(receiver, path, 5, got, &n, SOON), 5);
	ck_assert_uint_eq(n, 253);
	for (unsigned i = 0; i < FERRY_FDS_MAX; i++)
		close(got[i]);
	ck_assert_int_eq(ferry_recv(receiver, path, 5, SOON), 5);
	take(receiver, "flood");
	ok(receiver, ferry_release(&m));
	ck_assert_int_eq(count_fds(), before);
	close(fd);
}
END_TEST

START_TEST(a_stream_carries_none_and_keeps_none)
{
	int fd = raw_peer("", SOCK_STREAM), before = count_fds(), zero = 0;
	unsigned n = 0;

	raw_flood(fd);
	ck_assert_int_eq(ferry_read(receiver, path, 5, SOON), 5);
	ck_assert_int_eq(count_fds(), before);
	fails(receiver, ferry_send_fds(receiver, "x", 1, &zero, 1, SOON),
	      -EPROTOTYPE);
	close(fd);
	close_end(&receiver);
	fd = raw_peer("?framing=len32", SOCK_STREAM);
	fails(receiver, ferry_send_fds(receiver, "x", 1, &zero, 1, SOON),
	      -EOPNOTSUPP);
	fails(receiver, ferry_recv_fds(receiver, path, 1, NULL, &n, SOON),
	      -EOPNOTSUPP);
	close(fd);
}
END_TEST

void add_unix_message_tests(TCase *tc)
{
	tcase_add_test(tc, who_sent_it_can_be_answered);
	tcase_add_test(tc, the_kernel_says_who_sent_it);
	tcase_add_test(tc, a_sender_may_have_a_name_of_its_own);
	tcase_add_test(
		tc, what_others_sent_before_it_was_connected_is_not_received);
	tcase_add_test(tc, without_a_destination_each_message_has_one);
	tcase_add_test(tc, datagrams_go_to_datagram_sockets_only);
	tcase_add_test(
		tc,
		the_place_of_a_dead_receiver_is_taken_and_of_a_live_one_is_not);
	tcase_add_test(tc, what_is_no_socket_is_no_destination);
	tcase_add_test(tc, who_hears_its_destination_only_refuses_others);
	tcase_add_test(tc, a_full_receiver_is_waited_for);
	tcase_add_test(
		tc,
		senders_without_a_name_that_can_be_written_are_not_answered);
	tcase_add_test(tc, an_empty_message_may_have_descriptors);
	tcase_add_test(tc, what_has_no_room_is_closed_and_told);
	tcase_add_test(tc,
		       a_message_whose_descriptors_have_no_room_stays_first);
	tcase_add_test(tc, a_descriptor_that_is_not_open_is_a_mistake);
	tcase_add_test(tc, a_plain_peer_may_pass_253_and_leaves_none);
	tcase_add_test(tc, a_stream_carries_none_and_keeps_none);
}
