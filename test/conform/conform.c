/* SPDX-License-Identifier: MIT */
/* The runner and what the tests share.  See conform.h. */
#include "conform.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tree.h"

const struct fixture *f;
struct ferry_link *receiver, *sender;
char place[80];

char place_for_all[40];
static char base[60];
static int fds_before;
static unsigned across; /* the run of those that go across, by that IP */

/* --- shared -------------------------------------------------------------- */

int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

void begin_with(const struct fixture *this)
{
	struct ferry_link *ends[2];

	f = this;
	f->make(ends);
	receiver = ends[0];
	sender = ends[1];
}

void begin(int i)
{
	begin_with(fixture((unsigned)i));
}

void close_end(struct ferry_link **end)
{
	ferry_close(*end);
	*end = NULL;
}

void close_ends(void)
{
	close_end(&sender);
	close_end(&receiver);
}

void fill(char *buf, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (char)('a' + (i * 7 + i / 26 + seed) % 26);
}

/* What of a text is the value of a signal. */
static void value_of(const char *text, char out[4])
{
	memset(out, 0, 4);
	memcpy(out, text, strnlen(text, 4));
}

long long give_by(struct ferry_link *l, const char *text, ferry_time deadline)
{
	char value[4];

	if (f->stream)
		return ferry_write(l, text, strlen(text), deadline);
	if (!f->values)
		return ferry_send(l, text, strlen(text), deadline);
	value_of(text, value);
	return ferry_send(l, value, sizeof value, deadline);
}

long long give(struct ferry_link *l, const char *text)
{
	return give_by(l, text, SOON);
}

ssize_t get(struct ferry_link *l, char *buf, size_t size, ferry_time deadline)
{
	struct ferry_signal s;
	ssize_t n;

	if (f->stream)
		return ferry_read(l, buf, size, deadline);
	if (!f->values)
		return ferry_recv(l, buf, size, deadline);
	n = ferry_recv(l, &s, sizeof s, deadline);
	if (n < 0)
		return n;
	ck_assert_int_eq(n, sizeof s);
	memcpy(buf, &s.value, sizeof s.value);
	return (ssize_t)strnlen(buf, sizeof s.value);
}

void send_text(struct ferry_link *l, const char *text)
{
	ok(l, ferry_send(l, text, strlen(text), SOON));
}

void expect_text(struct ferry_link *l, const char *text)
{
	char buf[200];
	ssize_t n = ferry_recv(l, buf, sizeof buf - 1, SOON);

	ok(l, n);
	buf[n] = 0;
	ck_assert_str_eq(buf, text);
}

int send_marked(const char *text, unsigned type, unsigned priority)
{
	struct ferry_message m;

	ok(sender, ferry_loan(sender, strlen(text), &m, SOON));
	memcpy(m.data, text, strlen(text));
	m.type = type;
	m.priority = priority;
	return ferry_commit(&m, SOON);
}

void expect_marked(const char *text, unsigned type, unsigned priority)
{
	struct ferry_message m;

	ok(receiver, ferry_take(receiver, &m, SOON));
	ck_assert_uint_eq(m.len, strlen(text));
	ck_assert_mem_eq(m.data, text, m.len);
	ck_assert_uint_eq(m.type, type);
	ck_assert_uint_eq(m.priority, priority);
	ok(receiver, ferry_release(&m));
}

pid_t child(void (*run)(void *arg), void *arg)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		run(arg);
		_exit(0);
	}
	return pid;
}

void expect_exit(pid_t pid, int status)
{
	int s;

	ck_assert_int_eq(waitpid(pid, &s, 0), pid);
	ck_assert_msg(WIFEXITED(s) && WEXITSTATUS(s) == status,
		      "the child ended with %#x", (unsigned)s);
}

#define NOBODY 65534

void as_nobody(void (*run)(void *arg), void *arg)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
			_exit(99);
		run(arg);
		_exit(0);
	}
	expect_exit(pid, 0);
}

void says(struct ferry_link *l, int err, const char *text)
{
	char why[400];

	ferry_explain(l, err, why, sizeof why);
	ck_assert_msg(strstr(why, text), "'%s' does not say '%s'", why, text);
}

struct ferry_link *childs_sender(void)
{
	return f->sender_in_child ? f->sender_in_child() : sender;
}

/* --- around each test ---------------------------------------------------- */

static void make_place(void)
{
	char realm[100];
	int r;

	/* A realm outlives its test, whose place may be drawn again. */
	do {
		snprintf(place, sizeof place, "%s/XXXXXX", base);
		ck_assert_ptr_nonnull(mkdtemp(place));
		snprintf(realm, sizeof realm, "%s-realm", place);
		r = mkdir(realm, 0700);
	} while (r != 0 && errno == EEXIST && rmdir(place) == 0);
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(setenv("FERRY_REALM", realm, 1), 0);
	fds_before = count_fds();
}

static void check_place(void)
{
	ck_assert_msg(rmdir(place) == 0, "something is left in %s", place);
}

static void set_up(void)
{
	make_place();
}

static void tear_down(void)
{
	int left;

	close_ends();
	if (f && f->unmake)
		f->unmake();
	left = count_fds() - fds_before;
	/* A process that uses a realm keeps its lease until it ends. */
	if (!f || strcmp(f->scheme, "mailbox") != 0)
		ck_assert_msg(left == 0, "%d descriptors leaked", left);
	check_place();
}

#define SKIPPED 77

/* --- the suite ----------------------------------------------------------- */

static TCase *new_case(Suite *s, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	suite_add_tcase(s, tc);
	return tc;
}

static void add_fixture(Suite *s, int i)
{
	const struct fixture *this = fixture((unsigned)i);
	TCase *tc = new_case(s, this->name);

	if (this->stream) {
		add_stream_tests(tc, i);
	} else if (!this->values) { /* else signal.c has what it can carry */
		add_message_tests(tc, i);
		add_many_tests(tc, i);
		add_descriptor_tests(tc, i);
	}
	add_wait_tests(tc, i);
	add_poll_tests(tc, i);
	add_life_tests(tc, i);
}

/* What is particular to each scheme. */
static void add_particular(Suite *s)
{
	add_table_tests(new_case(s, "table"));
	add_address_tests(new_case(s, "addresses"));
	add_framing_tests(new_case(s, "framing"));
	add_error_tests(new_case(s, "errors"));
	add_unix_tests(new_case(s, "unix:"));
	add_unix_file_tests(new_case(s, "socket-files"));
	add_unix_message_tests(new_case(s, "unix-messages"));
	add_tcp_tests(new_case(s, "tcp:"));
	add_udp_tests(new_case(s, "udp:"));
	add_fd_tests(new_case(s, "fd:"));
	add_file_tests(new_case(s, "file:"));
	add_file_rotate_tests(new_case(s, "rotated-logs"));
	add_file_torn_tests(new_case(s, "torn-logs"));
	add_mq_tests(new_case(s, "mq:"));
	add_sysv_tests(new_case(s, "sysv:"));
	add_sysv_path_tests(new_case(s, "sysv:PATH"));
	add_sysv_look_tests(new_case(s, "sysv-looks"));
	add_signal_tests(new_case(s, "signal:"));
	add_signal_send_tests(new_case(s, "signals-sent"));
	add_pipe_tests(new_case(s, "pipe:"));
	add_pipe_half_tests(new_case(s, "pipe-turns"));
	add_fifo_tests(new_case(s, "fifo:"));
	add_fifo_meet_tests(new_case(s, "fifo-servers"));
	add_fifo_between_tests(new_case(s, "fifo-between"));
	add_poll_memory_tests(new_case(s, "loops"));
	add_poll_dead_tests(new_case(s, "loops-alone"));
	add_fault_tests(new_case(s, "faults"));
	add_fault_link_tests(new_case(s, "fault+"));
	add_fault_datagram_tests(new_case(s, "fault-datagrams"));
	add_fault_stream_tests(new_case(s, "fault-stream"));
}

static bool faults; /* those of fault+ only; else the others, in another run */

static bool is_in(const struct fixture *this)
{
	return this->across == across &&
	       (across || (this->before != NULL) == faults);
}

static Suite *make_suite(void)
{
	Suite *s = suite_create("conform");

	if (!across && !faults)
		add_particular(s);
	for (int i = 0; fixture((unsigned)i); i++)
		if (is_in(fixture((unsigned)i)))
			add_fixture(s, i);
	if (across == 4)
		add_host_tests(new_case(s, "two-hosts"));
	return s;
}

static bool make_bases(void)
{
	const char *tmp = getenv("TMPDIR");

	/* A socket's path has 107 bytes: a long TMPDIR is no good for it. */
	if (!tmp || strlen(tmp) > 40)
		tmp = "/tmp";
	snprintf(base, sizeof base, "%s/conform-XXXXXX", tmp);
	strcpy(place_for_all, "/dev/shm/conform-XXXXXX");
	return mkdtemp(base) && mkdtemp(place_for_all) &&
	       chmod(place_for_all, 0755) == 0;
}

int main(int argc, char **argv)
{
	const char *why;
	SRunner *r;
	int failed;

	if (argc > 1 && strcmp(argv[1], "--child-of-pipe") == 0)
		return child_of_pipe();
	if (argc > 1 && strcmp(argv[1], "--child-of-half-pipe") == 0)
		return child_of_half_pipe();
	faults = argc > 1 && strcmp(argv[1], "--faults") == 0;
	if (argc > 2 && strcmp(argv[1], "--across") == 0)
		across = (unsigned)atoi(argv[2]);
	why = across ? make_hosts(across) : NULL;
	if (why) {
		fprintf(stderr, "skipped: no two hosts with IPv%u here: %s\n",
			across, why);
		return SKIPPED;
	}
	if (!make_bases())
		return EXIT_FAILURE;
	r = srunner_create(make_suite());
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	tree_remove(base);
	tree_remove(place_for_all);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
