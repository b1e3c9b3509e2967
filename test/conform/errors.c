/* SPDX-License-Identifier: MIT */
/*
 * What each scheme says when something is wrong: a row for every scheme of the table,
 * a cell for every condition, which either is provoked or has a reason why the scheme
 * does not know it.  A cell has the result and a phrase of its sentence, which no
 * other sentence of the row has: nobody is told the same of two things.
 *
 * Each is provoked in a child, in a directory of its own.  What this machine does not
 * allow is told as skipped.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "conform.h"
#include "errors.h"
#include "tree.h"

/* --- the place ------------------------------------------------------------------- */

static char at_place[64];

char *errors_at(const char *address)
{
	static char out[4][300];
	static unsigned turn;
	char *to = out[turn++ % 4];
	int n = (int)strcspn(address, "%");

	if (address[n])
		snprintf(to, sizeof out[0], "%.*s%s%s", n, address, at_place,
			 address + n + 1);
	else
		snprintf(to, sizeof out[0], "%s", address);
	return to;
}

static void make_place_below(const char *path)
{
	char realm[100];

	snprintf(at_place, sizeof at_place, "%s/XXXXXX", path);
	ck_assert_ptr_nonnull(mkdtemp(at_place));
	snprintf(realm, sizeof realm, "%s/realm", at_place);
	ck_assert_int_eq(mkdir(realm, 0755), 0);
	ck_assert_int_eq(chmod(at_place, 0755), 0);
	setenv("FERRY_REALM", realm, 1);
}

/* --- what is done ------------------------------------------------------------------ */

int errors_do(const char *address, unsigned how, struct ferry_link **l)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *ends[2];
	int err;

	switch (how) {
	case LISTEN: return ferry_listen(l, errors_at(address));
	case CREATE:
		o.capacity = 2;
		return ferry_mailbox_create(l, errors_at(address), &o);
	case PAIR:
		err = ferry_pair(ends, errors_at(address));
		if (!err)
			*l = ends[0];
		return err;
	}
	return ferry_open(l, errors_at(address), how);
}

int errors_give(struct ferry_link *l)
{
	ssize_t r = ferry_send(l, "four", 4, FERRY_NOWAIT);

	if (r == -EPROTOTYPE)
		r = ferry_write(l, "four", 4, FERRY_NOWAIT);
	return r > 0 ? 0 : (int)r;
}

/* A line to a process is made when something is sent. */
int refused(const struct cell *c, struct ferry_link **l)
{
	int err = errors_do(c->address, c->how, l);

	return err ? err : errors_give(*l);
}

int refused_twice(const struct cell *c, struct ferry_link **l)
{
	struct ferry_link *first;

	ok(NULL, errors_do(c->address, c->how, &first));
	if (!c->then)
		return errors_do(c->address, c->how, l);
	if (strcmp(c->then, THE_SAME) == 0) /* with the port it has got */
		return errors_do(ferry_address(first), c->how, l);
	return errors_do(c->then, c->how, l);
}

/* --- conditions -------------------------------------------------------------------- */

#define NOBODY 65534

int refused_to_others(const struct cell *c, struct ferry_link **l)
{
	struct ferry_link *first = NULL;

	if (geteuid() != 0)
		return errors_skip("one cannot become another user");
	if (c->first)
		ok(NULL, errors_do(c->address, c->first, &first));
	if (setgid(NOBODY) || setuid(NOBODY))
		return errors_skip("one cannot become another user");
	return refused(c, l);
}

static bool write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

	close(fd);
	return done;
}

/* Mounts of our own; as somebody who is not root in a namespace of his own. */
static bool may_mount(void)
{
	char users[40], groups[40];

	snprintf(users, sizeof users, "0 %d 1", (int)geteuid());
	snprintf(groups, sizeof groups, "0 %d 1", (int)getegid());
	if (geteuid() != 0 && (unshare(CLONE_NEWUSER) != 0 ||
			       !write_to("/proc/self/setgroups", "deny") ||
			       !write_to("/proc/self/uid_map", users) ||
			       !write_to("/proc/self/gid_map", groups)))
		return false;
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool mount_here(unsigned long flags)
{
	if (!may_mount() || mount("none", at_place, "tmpfs", flags,
				  "size=64k,nr_inodes=8,mode=0755") != 0)
		return false;
	setenv("FERRY_REALM", errors_at("%/realm"), 1);
	return true;
}

int refused_read_only(const struct cell *c, struct ferry_link **l)
{
	if (!mount_here(MS_RDONLY))
		return errors_skip("file systems cannot be mounted");
	return errors_do(c->address, c->how, l);
}

/* No bytes are left, and no file can be made. */
static void fill_disk(void)
{
	static char bytes[4096];
	int fd = open(errors_at("%/filler"), O_CREAT | O_WRONLY | O_CLOEXEC,
		      0600);
	char name[40];

	while (write(fd, bytes, sizeof bytes) > 0)
		;
	close(fd);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "%%/filler%d", i);
		close(open(errors_at(name), O_CREAT | O_WRONLY | O_CLOEXEC,
			   0600));
	}
}

int refused_on_full_disk(const struct cell *c, struct ferry_link **l)
{
	if (!mount_here(0))
		return errors_skip("file systems cannot be mounted");
	ck_assert_int_eq(mkdir(getenv("FERRY_REALM"), 0700), 0);
	fill_disk();
	return errors_do(c->address, c->how, l);
}

/* It is open when the disk fills up. */
int sending_on_full_disk(const struct cell *c, struct ferry_link **l)
{
	static char many[5000];
	int err;

	if (!mount_here(0))
		return errors_skip("file systems cannot be mounted");
	if (c->how == DESCRIPTOR) {
		err = open(errors_at("%/file"), O_CREAT | O_RDWR, 0600);
		snprintf(many, sizeof many, "fd:%d", err);
		err = ferry_open(l, many, FERRY_SEND);
	} else {
		err = errors_do(c->address, c->how, l);
	}
	ok(NULL, err);
	fill_disk();
	err = ferry_send(*l, many, sizeof many, SOON);
	if (err == -EPROTOTYPE)
		err = (int)ferry_write(*l, many, sizeof many, SOON);
	return err;
}

/* With room for none, one, two ... more, until it works. */
int refused_without_descriptors(const struct cell *c, struct ferry_link **l)
{
	struct rlimit limit;
	int err = -EMFILE, last = 0, lowest = dup(0);
	char why[300];

	close(lowest);
	getrlimit(RLIMIT_NOFILE, &limit);
	for (int n = 0; err == -EMFILE && n < 20; n++) {
		limit.rlim_cur = (rlim_t)lowest + (rlim_t)n;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		err = errors_do(c->address, c->how, l);
		if (err) {
			last = err;
			ferry_explain(NULL, err, why, sizeof why);
			ck_assert_msg(strstr(why, c->says),
				      "%s with %d descriptors: %s", c->address,
				      n, why);
			errors_remember(why);
		}
	}
	ck_assert_msg(err == 0, "%s does not work with 20 descriptors: %s",
		      c->address, ferry_error_name(err));
	return last;
}

/* Ends that no process reads: [1] sends. */
static void make_ends(const struct cell *c, struct ferry_link *ends[2])
{
	if (c->how == PAIR) {
		ok(NULL, ferry_pair(ends, errors_at(c->address)));
		return;
	}
	ok(NULL, errors_do(c->address, c->how, &ends[0]));
	ok(NULL, ferry_open(&ends[1], ferry_address(ends[0]),
			    c->how == LISTEN ? FERRY_DUPLEX : FERRY_SEND));
}

int sending_when_full(const struct cell *c, struct ferry_link **l)
{
	struct ferry_link *ends[2];
	int err = 0;

	make_ends(c, ends);
	for (int i = 0; i < 10000000 && !err; i++)
		err = errors_give(ends[1]);
	*l = ends[1];
	return err;
}

/* --- a killed peer ------------------------------------------------------------------- */

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static int sent_to_dead(struct ferry_link *l)
{
	int err = 0;

	/* TCP hears of it a moment later. */
	for (int i = 0; i < 1000000 && (!err || err == -EAGAIN); i++)
		err = errors_give(l);
	return err;
}

/* The other end, in a child that has it when it writes to `out`. */
static pid_t other(const struct cell *c, struct ferry_link *door, int out)
{
	struct ferry_link *l;
	pid_t pid = fork();
	int err = 0;

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	if (c->how == LISTEN)
		err = ferry_open(&l, ferry_address(door), FERRY_DUPLEX);
	else if (c->how != INHERITED)
		err = errors_do(c->address, c->how, &l);
	if (err || write(out, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* The name is another process's. */
int refused_beside_another(const struct cell *c, struct ferry_link **l)
{
	int ready[2], err;
	char byte, why[300];
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = other(c, NULL, ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	err = errors_do(c->address, c->how, l);
	if (err)
		ferry_explain(NULL, err, why, sizeof why);
	errors_remember(err ? why : "");
	end_child(pid);
	return err;
}

int sending_to_a_killed_one(const struct cell *c, struct ferry_link **l)
{
	struct ferry_link *theirs = NULL;
	int ready[2];
	pid_t pid;
	char byte;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	if (c->how == LISTEN)
		ok(NULL, ferry_listen(&theirs, errors_at(c->address)));
	if (c->how == INHERITED)
		ok(NULL, errors_do(c->address, FERRY_RECV, &theirs));
	pid = other(c, theirs, ready[1]);
	if (c->how == LISTEN)
		ok(theirs, ferry_accept(theirs, l, SOON));
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	if (c->how != LISTEN)
		ok(NULL, ferry_open(l,
				    theirs ? ferry_address(theirs) :
					     errors_at(c->address),
				    FERRY_SEND));
	ferry_close(theirs);
	ok(*l, errors_give(*l));
	end_child(pid);
	return sent_to_dead(*l);
}

/* Who receives is a child, which has its end by fork. */
int sending_to_a_killed_child(const struct cell *c, struct ferry_link **l)
{
	struct ferry_link *ends[2];
	pid_t pid;

	ok(NULL, ferry_pair(ends, errors_at(c->address)));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		ferry_close(ends[1]);
		for (;;)
			pause();
	}
	ferry_close(ends[0]);
	end_child(pid);
	*l = ends[1];
	return sent_to_dead(*l);
}

/* --- the rows ------------------------------------------------------------------------- */

static struct told {
	int err;
	char why[400], skipped[100];
} * told; /* shared with the children */

int errors_skip(const char *why)
{
	snprintf(told->skipped, sizeof told->skipped, "%s", why);
	return 0;
}

void errors_remember(const char *why)
{
	snprintf(told->why, sizeof told->why, "%s", why);
}

static void provoke(void *arg)
{
	const struct cell *c = arg;
	struct ferry_link *l = NULL;
	int err = c->provoke(c, &l);

	if (!told->why[0])
		ferry_explain(l, err, told->why, sizeof told->why);
	told->err = err;
}

static const char *const condition_name[] = {
	"killed peer",	"full",		 "full disk",
	"read-only",	"no permission", "name in use",
	"nobody there", "malformed",	 "no descriptors",
};

static void check_cell(const struct row *r, unsigned i, char why[400])
{
	const struct cell *c = &r->cell[i];
	pid_t pid;
	int status;

	memset(told, 0, sizeof *told);
	make_place_below(place_for_all);
	pid = child(provoke, (void *)(uintptr_t)c);
	waitpid(pid, &status, 0);
	if (c->address && (strncmp(c->address, "mq:", 3) == 0 ||
			   strncmp(c->address, "sysv:", 5) == 0))
		ferry_destroy(errors_at(c->address));
	tree_remove(at_place);
	ck_assert_msg(status == 0, "%s, %s: the test fails", r->scheme,
		      condition_name[i]);
	if (told->skipped[0]) {
		printf("skipped: %s, %s: %s\n", r->scheme, condition_name[i],
		       told->skipped);
		return;
	}
	if (getenv("FERRY_TEST_SENTENCES"))
		printf("%-8s %-14s %-12s %s\n", r->scheme, condition_name[i],
		       ferry_error_name(told->err), told->why);
	ck_assert_msg(told->err == c->err, "%s, %s: %s, not %s: %s", r->scheme,
		      condition_name[i], ferry_error_name(told->err),
		      ferry_error_name(c->err), told->why);
	ck_assert_msg(strstr(told->why, c->says), "%s, %s: no '%s' in: %s",
		      r->scheme, condition_name[i], c->says, told->why);
	memcpy(why, told->why, 400);
}

static void check_row(const struct row *r)
{
	static char why[CONDITIONS][400];

	memset(why, 0, sizeof why);
	for (unsigned i = 0; i < CONDITIONS; i++) {
		ck_assert_msg(!r->cell[i].provoke != !r->cell[i].why_not,
			      "%s: no word of: %s", r->scheme,
			      condition_name[i]);
		if (r->cell[i].provoke)
			check_cell(r, i, why[i]);
	}
	for (unsigned i = 0; i < CONDITIONS; i++)
		for (unsigned k = 0; k < CONDITIONS && r->cell[i].says; k++)
			ck_assert_msg(
				i == k || !strstr(why[k], r->cell[i].says),
				"%s: %s and %s say the same: %s", r->scheme,
				condition_name[i], condition_name[k], why[k]);
}

START_TEST(each_condition_has_its_own_sentence)
{
	const struct ferry_transport_info *t = ferry_transport((unsigned)_i);
	const struct row *r = errors_rows;

	while (r->scheme && strcmp(r->scheme, t->scheme) != 0)
		r++;
	ck_assert_msg(r->scheme != NULL, "%s has no row", t->scheme);
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(told, MAP_FAILED);
	check_row(r);
	munmap(told, sizeof *told);
}
END_TEST

void add_error_tests(TCase *tc)
{
	int n = 0;

	while (ferry_transport((unsigned)n))
		n++;
	tcase_add_loop_test(tc, each_condition_has_its_own_sentence, 0, n);
}
