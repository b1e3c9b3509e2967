/* SPDX-License-Identifier: MIT */
/*
 * Two hosts in one process: name spaces of the network, and a cable between them.  A
 * socket stays in the one in which it was made, so a process can have both ends.
 *
 * They are made by a child, which passes them on: where root's rights are needed and
 * missing it gets them in a name space of users, which only those tests enter that
 * need it.  Both are gone with the last process that has them.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "conform.h"

enum { N_HOSTS = RECEIVING + 1, USERS = N_HOSTS };

/* Of the hosts, and of the users or -1. */
static int spaces[N_HOSTS + 1] = { -1, -1, -1 };

/* --- making them, in the child ---------------------------------------------- */

static char why[400];

static bool lacks(const char *what, int err)
{
	snprintf(why, sizeof why, "%s: %s", what, strerror(err));
	return false;
}

static bool failed(int err)
{
	ferry_explain(NULL, err, why, sizeof why);
	return false;
}

/* `ip` with these words, in the name space that we are in. */
static bool ip(const char *format, ...)
{
	char words[200], line[260];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	snprintf(line, sizeof line, "ip %s >/dev/null 2>&1", words);
	if (system(line) == 0)
		return true;
	snprintf(why, sizeof why, "'ip %s' fails", words);
	return false;
}

static bool write_line(const char *path, const char *format, unsigned id)
{
	FILE *out = fopen(path, "we");

	if (!out)
		return lacks(path, errno);
	fprintf(out, format, id);
	return fclose(out) == 0 || lacks(path, errno);
}

/* Rights in a name space of our own: `ip` needs to be root in it. */
static bool become_root(void)
{
	unsigned uid = getuid(), gid = getgid();

	if (unshare(CLONE_NEWUSER) != 0)
		return lacks("no name space of users", errno);
	spaces[USERS] = open("/proc/self/ns/user", O_RDONLY);
	return write_line("/proc/self/setgroups", "deny", 0) &&
	       write_line("/proc/self/uid_map", "0 %u 1", uid) &&
	       write_line("/proc/self/gid_map", "0 %u 1", gid);
}

static bool new_host(enum host h)
{
	if (unshare(CLONE_NEWNET) != 0)
		return lacks("no name space of the network", errno);
	spaces[h] = open("/proc/self/ns/net", O_RDONLY);
	return spaces[h] >= 0 || lacks("/proc/self/ns/net", errno);
}

static bool go_to(enum host h)
{
	return setns(spaces[h], CLONE_NEWNET) == 0 || lacks("setns", errno);
}

static bool plug_in(enum host h, unsigned version)
{
	const char *address = h == RECEIVING ?
				      version == 6 ? HOST_V6 : HOST_V4 :
			      version == 6 ? "fd09:8::1" :
					     "10.9.8.1";

	return go_to(h) &&
	       ip("addr add %s/%s dev cable%s", address,
		  version == 6 ? "64" : "24", version == 6 ? " nodad" : "") &&
	       ip("link set cable up");
}

/* Datagrams, until one arrives: those before are lost. */
static bool try_cable(unsigned version)
{
	struct ferry_link *to, *from;
	char buf[8];
	int r = ferry_open(
		&to, version == 6 ? "udp:[" HOST_V6 "]:0" : "udp:" HOST_V4 ":0",
		FERRY_RECV);

	if (r < 0)
		return failed(r);
	if (!go_to(SENDING))
		return false;
	r = ferry_open(&from, ferry_address(to), FERRY_SEND);
	for (int i = 0; i < 500; i++) {
		if (r == 0)
			r = ferry_send(from, "hello", 5, FERRY_NOWAIT);
		if (r == 0)
			r = (int)ferry_recv(to, buf, sizeof buf,
					    ferry_after(FERRY_MS(20)));
		if (r != -ETIMEDOUT)
			break;
		r = 0;
	}
	return r > 0 || failed(r ? r : -ETIMEDOUT);
}

static bool build(unsigned version)
{
	if (unshare(CLONE_NEWNET) != 0 && !become_root())
		return false;
	return ip("-V") && new_host(SENDING) && new_host(RECEIVING) &&
	       ip("link add cable type veth peer name cable netns "
		  "/proc/self/fd/%d",
		  spaces[SENDING]) &&
	       plug_in(SENDING, version) && plug_in(RECEIVING, version) &&
	       try_cable(version);
}

/* --- in the suite ------------------------------------------------------------- */

static void build_and_pass_on(struct ferry_link *to, unsigned version)
{
	unsigned n = N_HOSTS;

	if (!build(version)) {
		ferry_send(to, why, strlen(why), SOON);
		_exit(0);
	}
	if (spaces[USERS] >= 0)
		n++;
	ferry_send_fds(to, "", 0, spaces, n, SOON);
	_exit(0);
}

const char *make_hosts(unsigned version)
{
	struct ferry_link *ends[2];
	unsigned n = N_HOSTS + 1;
	ssize_t len;
	pid_t pid;

	if (ferry_pair(ends, "unix:?type=seqpacket") != 0)
		return "there is no way to pass them on";
	pid = fork();
	if (pid == 0)
		build_and_pass_on(ends[1], version);
	ferry_close(ends[1]);
	len = ferry_recv_fds(ends[0], why, sizeof why - 1, spaces, &n, SOON);
	ferry_close(ends[0]);
	waitpid(pid, NULL, 0);
	if (len == 0 && n >= N_HOSTS)
		return NULL;
	return len > 0 ? why : "who makes them died";
}

void enter_host(enum host h)
{
	static bool is_root; /* of the name space of users, if there is one */

	if (!f->across)
		return;
	if (spaces[USERS] >= 0 && !is_root)
		ck_assert_int_eq(setns(spaces[USERS], CLONE_NEWUSER), 0);
	is_root = true;
	ck_assert_int_eq(setns(spaces[h], CLONE_NEWNET), 0);
}

/* --- what crosses --------------------------------------------------------------- */

static void pull(bool out)
{
	enter_host(SENDING);
	ck_assert(ip("link set cable %s", out ? "down" : "up"));
}

START_TEST(what_is_sent_goes_through_the_cable)
{
	char buf[8];

	begin_with(fixture_named("tcp-across"));
	pull(true);
	ok(sender, ferry_write(sender, "late", 4, SOON));
	fails(receiver, ferry_read(receiver, buf, 8, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	pull(false);
	ck_assert_int_eq(ferry_read(receiver, buf, 8, SOON), 4);
	ck_assert_mem_eq(buf, "late", 4);
}
END_TEST

START_TEST(without_a_cable_no_way_leads_to_the_other_host)
{
	begin_with(fixture_named("udp-across"));
	pull(true);
	fails(sender, ferry_send(sender, "lost", 4, SOON), -ECONNREFUSED);
	says(sender, -ECONNREFUSED, "no way leads there");
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	pull(false);
}
END_TEST

/* The last ones: a cable that was out takes a moment. */
void add_host_tests(TCase *tc)
{
	tcase_add_test(tc, what_is_sent_goes_through_the_cable);
	tcase_add_test(tc, without_a_cable_no_way_leads_to_the_other_host);
}
