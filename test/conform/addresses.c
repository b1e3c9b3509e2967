/* SPDX-License-Identifier: MIT */
/* Addresses that do not open, and the sentence that says why. */
#include "conform.h"

/* `call` with each address fails so, and the sentence holds the word. */
struct refusal {
	const char *address;
	int err;
	const char *word;
};

static void refused(int err, const struct refusal *r)
{
	char why[400];

	ferry_explain(NULL, err, why, sizeof why);
	ck_assert_msg(err == r->err, "'%s': %s: %s", r->address,
		      ferry_error_name(err), why);
	ck_assert_msg(strstr(why, r->word), "'%s': %s", r->address, why);
}

START_TEST(what_cannot_be_opened_is_refused_by_name)
{
	static const struct refusal all[] = {
		{ NULL, -EINVAL, "no address" },
		{ "", -EINVAL, "empty" },
		{ "smoke:x", -EINVAL,
		  "pipe: fifo: unix: tcp: udp: mq: sysv: file: signal: fd:" },
		{ "Unix:x", -EINVAL, "small letters" },
		{ "unix:x?", -EINVAL, "without a name" },
		{ "unix:x?typ=stream", -EINVAL, "'typ'" },
		{ "unix:x?typ=stream", -EINVAL, "type" },
		{ "unix:x?type=raw", -EINVAL, "dgram" },
		{ "unix:x?timeout=soon", -EINVAL, "soon" },
		{ "unix:x?framing=lines", -EINVAL, "len32" },
		{ "unix:x?framing=line&max=2G", -EINVAL, "2G" },
		{ "unix:x?max=1K", -EINVAL, "framing" },
		{ "unix:x?mode=0600", -EINVAL, "listens" },
		{ "unix:", -EINVAL, "unix:PATH" },
		{ "unix:@", -EINVAL, "unix:@NAME" },
		{ "unix:/no/such/socket", -ENOENT, "start" },
		{ "unix:@ferry-nobody", -ECONNREFUSED, "nobody" },
		{ "unix:/etc/passwd", -EINVAL, "not a socket" },
		{ "pipe:", -EOPNOTSUPP, "ferry_pair" },
		{ "fd:", -EINVAL, "number" },
		{ "fd:-1", -EINVAL, "number" },
		{ "fd:1x", -EINVAL, "number" },
		{ "fd:99999999999", -EINVAL, "number" },
		{ "fd:9999", -ENOENT, "no such descriptor" },
		{ "fd:0?type=stream", -EINVAL, "'type'" },
	};
	struct ferry_link *l = NULL;

	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
		refused(ferry_open(&l, all[i].address, FERRY_DUPLEX), &all[i]);
		ck_assert_ptr_null(l);
	}
}
END_TEST

START_TEST(what_cannot_be_listened_at_is_refused_by_name)
{
	static const struct refusal all[] = {
		{ "pipe:", -EOPNOTSUPP, "nobody listens" },
		{ "fd:0", -EOPNOTSUPP, "nobody listens" },
		{ "unix:", -EINVAL, "unix:PATH" },
		{ "unix:/tmp/", -EINVAL, "directory" },
		{ "unix:/no/such/socket", -ENOENT, "/no/such/" },
		{ "unix:/etc/passwd", -EEXIST, "not a socket" },
		{ "unix:x?mode=0888", -EINVAL, "octal" },
		{ "unix:x?mode=+7", -EINVAL, "octal" },
		{ "unix:@x?type=seqpacket&framing=line", -EOPNOTSUPP,
		  "framing" },
	};
	struct ferry_link *l = NULL;

	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
		refused(ferry_listen(&l, all[i].address), &all[i]);
		ck_assert_ptr_null(l);
	}
}
END_TEST

START_TEST(what_cannot_be_a_pair_is_refused_by_name)
{
	static const struct refusal all[] = {
		{ "pipe:x", -EINVAL, "no name" },
		{ "pipe:?duplex=yes", -EINVAL, "no value" },
		{ "unix:x", -EINVAL, "no name" },
		{ "unix:?type=x", -EINVAL, "type=x" },
		{ "unix:?type=seqpacket&framing=line", -EOPNOTSUPP, "framing" },
		{ "pipe:?framing=x", -EINVAL, "framing=x" },
		{ "fd:1", -EOPNOTSUPP, "pairs" },
	};
	struct ferry_link *ends[2] = { NULL, NULL };

	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
		refused(ferry_pair(ends, all[i].address), &all[i]);
		ck_assert_ptr_null(ends[0]);
		ck_assert_ptr_null(ends[1]);
	}
}
END_TEST

START_TEST(a_socket_path_has_107_bytes_at_most)
{
	char address[200] = "unix:";
	struct ferry_link *l = NULL;

	memset(address + 5, 'x', 108);
	fails(NULL, ferry_open(&l, address, FERRY_SEND), -EINVAL);
	fails(NULL, ferry_listen(&l, address), -EINVAL);
	address[5 + 107] = 0;
	fails(NULL, ferry_open(&l, address, FERRY_SEND), -ENOENT);
}
END_TEST

START_TEST(a_direction_must_be_given)
{
	struct ferry_link *l = NULL;

	fails(NULL, ferry_open(&l, "fd:0", 0), -EINVAL);
	fails(NULL, ferry_open(&l, "fd:0", 4), -EINVAL);
}
END_TEST

START_TEST(no_link_is_an_error_and_not_a_crash)
{
	char buf[4];

	fails(NULL, ferry_send(NULL, "x", 1, SOON), -EINVAL);
	fails(NULL, ferry_recv(NULL, buf, 4, SOON), -EINVAL);
	fails(NULL, ferry_write(NULL, "x", 1, SOON), -EINVAL);
	fails(NULL, ferry_read(NULL, buf, 4, SOON), -EINVAL);
	fails(NULL, ferry_shutdown(NULL, FERRY_SEND), -EINVAL);
	ferry_close(NULL);
	ferry_cancel(NULL);
}
END_TEST

START_TEST(a_sentence_is_cut_to_the_buffer_and_terminated)
{
	struct ferry_link *l = NULL;
	char buf[8] = "xxxxxxx";
	int err = ferry_open(&l, "smoke:x", FERRY_SEND);

	ck_assert_int_gt(ferry_explain(NULL, err, buf, 6), 6);
	ck_assert_str_eq(buf, "smoke");
	ck_assert_int_gt(ferry_explain(NULL, err, NULL, 0), 6);
}
END_TEST

void add_address_tests(TCase *tc)
{
	tcase_add_test(tc, what_cannot_be_opened_is_refused_by_name);
	tcase_add_test(tc, what_cannot_be_listened_at_is_refused_by_name);
	tcase_add_test(tc, what_cannot_be_a_pair_is_refused_by_name);
	tcase_add_test(tc, a_socket_path_has_107_bytes_at_most);
	tcase_add_test(tc, a_direction_must_be_given);
	tcase_add_test(tc, no_link_is_an_error_and_not_a_crash);
	tcase_add_test(tc, a_sentence_is_cut_to_the_buffer_and_terminated);
}
