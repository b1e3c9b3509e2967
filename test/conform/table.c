/* SPDX-License-Identifier: MIT */
/* The table of transports against what is expected of each scheme. */
#include "conform.h"

static const struct {
	const char *scheme;
	unsigned promises;
} expected[] = {
	{ "mailbox", FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			     FERRY_CAN_RELIABLE | FERRY_CAN_MANY_SEND |
			     FERRY_CAN_MANY_RECV | FERRY_CAN_NAME |
			     FERRY_CAN_SHUTDOWN | FERRY_CAN_IN_PLACE |
			     FERRY_CAN_REDELIVER | FERRY_CAN_PEEK |
			     FERRY_CAN_PERSIST | FERRY_CAN_TYPE },
	{ "topic",
	  FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
		  FERRY_CAN_RELIABLE | FERRY_CAN_MANY_SEND | FERRY_CAN_NAME |
		  FERRY_CAN_SHUTDOWN | FERRY_CAN_IN_PLACE | FERRY_CAN_PEEK |
		  FERRY_CAN_PERSIST | FERRY_CAN_BROADCAST | FERRY_CAN_TYPE },
	{ "channel", FERRY_CAN_MESSAGES | FERRY_CAN_STREAM | FERRY_CAN_DUPLEX |
			     FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			     FERRY_CAN_CONNECT | FERRY_CAN_PAIR |
			     FERRY_CAN_NAME | FERRY_CAN_SHUTDOWN |
			     FERRY_CAN_PEER_DEATH | FERRY_CAN_CREDENTIAL |
			     FERRY_CAN_IN_PLACE | FERRY_CAN_FDS },
	{ "process", FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			     FERRY_CAN_RELIABLE | FERRY_CAN_MANY_SEND |
			     FERRY_CAN_NAME | FERRY_CAN_PEER_DEATH |
			     FERRY_CAN_CREDENTIAL | FERRY_CAN_IN_PLACE },
	{ "pipe", FERRY_CAN_STREAM | FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			  FERRY_CAN_RELIABLE | FERRY_CAN_PAIR |
			  FERRY_CAN_SHUTDOWN | FERRY_CAN_PEER_DEATH },
	{ "fifo", FERRY_CAN_STREAM | FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			  FERRY_CAN_RELIABLE | FERRY_CAN_MANY_SEND |
			  FERRY_CAN_CONNECT | FERRY_CAN_NAME |
			  FERRY_CAN_SHUTDOWN | FERRY_CAN_PEER_DEATH |
			  FERRY_CAN_TICK },
	{ "unix", FERRY_CAN_MESSAGES | FERRY_CAN_STREAM | FERRY_CAN_DUPLEX |
			  FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			  FERRY_CAN_CONNECT | FERRY_CAN_PAIR | FERRY_CAN_NAME |
			  FERRY_CAN_SHUTDOWN | FERRY_CAN_PEER_DEATH |
			  FERRY_CAN_CREDENTIAL | FERRY_CAN_FDS |
			  FERRY_CAN_SEND_TO },
	{ "tcp", FERRY_CAN_STREAM | FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			 FERRY_CAN_RELIABLE | FERRY_CAN_CONNECT |
			 FERRY_CAN_NAME | FERRY_CAN_SHUTDOWN |
			 FERRY_CAN_PEER_DEATH | FERRY_CAN_REMOTE },
	{ "udp", FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX | FERRY_CAN_MANY_SEND |
			 FERRY_CAN_NAME | FERRY_CAN_REMOTE |
			 FERRY_CAN_SEND_TO },
	{ "mq", FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			FERRY_CAN_RELIABLE | FERRY_CAN_MANY_SEND |
			FERRY_CAN_MANY_RECV | FERRY_CAN_NAME |
			FERRY_CAN_PERSIST | FERRY_CAN_PRIORITY },
	{ "sysv", FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			  FERRY_CAN_RELIABLE | FERRY_CAN_MANY_SEND |
			  FERRY_CAN_MANY_RECV | FERRY_CAN_NAME |
			  FERRY_CAN_PERSIST | FERRY_CAN_TYPE | FERRY_CAN_TICK },
	{ "file", FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			  FERRY_CAN_RELIABLE | FERRY_CAN_MANY_SEND |
			  FERRY_CAN_NAME | FERRY_CAN_PERSIST |
			  FERRY_CAN_BROADCAST | FERRY_CAN_TICK },
	{ "signal", FERRY_CAN_MESSAGES | FERRY_CAN_MANY_SEND | FERRY_CAN_NAME |
			    FERRY_CAN_TYPE | FERRY_CAN_TICK },
	{ "fd", FERRY_CAN_MESSAGES | FERRY_CAN_STREAM | FERRY_CAN_DUPLEX |
			FERRY_CAN_ORDER | FERRY_CAN_SHUTDOWN |
			FERRY_CAN_CREDENTIAL },
	{ "fault", 0 }, /* those of what it stands before */
};

#define N_EXPECTED (sizeof expected / sizeof expected[0])

static bool has_fixture(const char *scheme)
{
	const struct fixture *each;

	for (unsigned i = 0; (each = fixture(i)); i++)
		if (strncmp(each->scheme, scheme, strlen(scheme)) == 0 &&
		    strcspn(each->scheme, "+") == strlen(scheme))
			return true;
	return false;
}

START_TEST(every_scheme_has_a_fixture)
{
	const struct ferry_transport_info *t;

	for (unsigned i = 0; (t = ferry_transport(i)); i++)
		ck_assert_msg(has_fixture(t->scheme), "%s: has no fixture",
			      t->scheme);
}
END_TEST

START_TEST(every_scheme_promises_what_is_expected)
{
	const struct ferry_transport_info *t;
	unsigned i;

	for (i = 0; (t = ferry_transport(i)); i++) {
		ck_assert_uint_lt(i, N_EXPECTED);
		ck_assert_str_eq(t->scheme, expected[i].scheme);
		ck_assert_msg(t->promises == expected[i].promises,
			      "%s: promises %#x, not %#x", t->scheme,
			      t->promises, expected[i].promises);
	}
	ck_assert_uint_eq(i, N_EXPECTED);
}
END_TEST

START_TEST(every_scheme_tells_people_what_it_is)
{
	const struct ferry_transport_info *t;

	for (unsigned i = 0; (t = ferry_transport(i)); i++) {
		ck_assert_ptr_nonnull(t->summary);
		ck_assert_ptr_nonnull(t->naming);
		ck_assert_ptr_nonnull(t->framing);
		ck_assert_ptr_nonnull(t->direction);
		ck_assert_ptr_nonnull(t->buffering);
		ck_assert_ptr_nonnull(t->persistence);
	}
}
END_TEST

START_TEST(behind_the_last_row_there_is_nothing)
{
	ck_assert_ptr_null(ferry_transport(N_EXPECTED));
	ck_assert_ptr_null(ferry_transport(~0u));
}
END_TEST

void add_table_tests(TCase *tc)
{
	tcase_add_test(tc, every_scheme_has_a_fixture);
	tcase_add_test(tc, every_scheme_promises_what_is_expected);
	tcase_add_test(tc, every_scheme_tells_people_what_it_is);
	tcase_add_test(tc, behind_the_last_row_there_is_nothing);
}
