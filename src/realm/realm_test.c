/* SPDX-License-Identifier: MIT */
/* Names, leases, segments: processes that come, go, are killed and race. */
#include "realm/realm.h"

#include <sys/resource.h>

#include "realm/segment.h"
#include "realm/state.h"
#include "shm/recover.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/process.h"
#include "unit.h"

#define REEXEC "FERRY_TEST_REEXEC" /* what main() is to do instead, see below */

/* What children and parent share. */
static struct {
	uint32_t ready, go, end;
	uint32_t owner[256];
	uint32_t count[4];
} * s;

static void setup(void)
{
	s = shared(sizeof *s);
}

static struct ferryi_realm *join(void)
{
	struct ferryi_realm *r = NULL;

	ok(ferryi_realm_join(&r, realm_path(), FERRYI_MAKE_REGISTRY));
	return r;
}

static struct ferryi_choice small(void)
{
	return (struct ferryi_choice){ .capacity = 8, .message_max = 64 };
}

static struct ferry_link *make(const char *name,
			       enum ferry_persistence persistence)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *l = NULL;

	o.capacity = 8;
	o.message_max = 64;
	o.persistence = persistence;
	ok(ferry_mailbox_create(&l, name, &o));
	return l;
}

/* --- names -------------------------------------------------------------------- */

static const struct {
	const char *text, *directory, *name;
} good[] = {
	{ "jobs", NULL, "jobs" },
	{ "mailbox:jobs", NULL, "jobs" },
	{ "a.b-c_d e", NULL, "a.b-c_d e" },
	{ "\xc3\xa4", NULL, "\xc3\xa4" },
	{ "./jobs", ".", "jobs" },
	{ "./dir/jobs", "./dir", "jobs" },
	{ "mailbox:./dir/jobs", "./dir", "jobs" },
	{ "/jobs", "/", "jobs" },
	{ "/a/.b/jobs", "/a/.b", "jobs" },
};

START_TEST(a_name_leads_to_a_directory_and_a_name_in_it)
{
	struct ferryi_place p;

	ok(ferryi_place_parse(&p, good[_i].text));
	ck_assert_str_eq(p.directory, good[_i].directory ? good[_i].directory :
							   realm_path());
	ck_assert_str_eq(p.name, good[_i].name);
	ck_assert_int_eq(p.is_default, good[_i].directory == NULL);
}
END_TEST

static const char *const bad[] = {
	"",	"mailbox:", "./",	"/",	  ".",
	"..",	".hidden",  "dir/.x",	"dir/..", "a\nb",
	"a\tb", "\x01",	    "a\x7f",	"a:b",	  "a?b",
	"dir/", "a/b/",	    "jobs?x=1", "unix:x", "mailbox:mailbox:jobs",
};

START_TEST(a_name_that_is_none_is_refused_with_a_sentence)
{
	struct ferryi_place p;

	fails_saying(ferryi_place_parse(&p, bad[_i]), -EINVAL, "name");
}
END_TEST

START_TEST(names_have_at_most_200_bytes)
{
	static const int sizes[] = { 1, 200, 201, 300 };
	struct ferryi_place p;
	char text[400];

	for (unsigned i = 0; i < 4; i++)
		for (unsigned prefix = 0; prefix < 2; prefix++) {
			int n = snprintf(text, sizeof text, "%s",
					 prefix ? "./" : "");

			memset(text + n, 'x', (size_t)sizes[i]);
			text[n + sizes[i]] = 0;
			if (sizes[i] <= 200)
				ok(ferryi_place_parse(&p, text));
			else
				fails_saying(ferryi_place_parse(&p, text),
					     -EINVAL, "at most 200");
		}
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
	static char text[6000];
	struct ferryi_place p;

	memset(text, 'd', sizeof text);
	memcpy(text + sizeof text - 6, "/jobs", 6);
	fails_saying(ferryi_place_parse(&p, text), -EINVAL, "at most 4095");
	text[4090] = 0;
	memcpy(text + 4085, "/jobs", 6);
	ok(ferryi_place_parse(&p, text));
}
END_TEST

START_TEST(the_default_realm_is_that_of_the_environment_or_of_the_user)
{
	char buf[4096], wanted[100];
	static char text[5000];
	struct stat st;

	ok(ferryi_realm_default(buf, sizeof buf));
	ck_assert_str_eq(buf, getenv("FERRY_REALM"));
	setenv("FERRY_REALM", "/somewhere/else", 1);
	ck_assert_int_eq(ferryi_realm_default(buf, sizeof buf), 15);
	ck_assert_str_eq(buf, "/somewhere/else");
	memset(text, 'x', sizeof text - 1);
	setenv("FERRY_REALM", text, 1);
	fails_saying(ferryi_realm_default(buf, sizeof buf), -EINVAL,
		     "FERRY_REALM");
	for (int i = 0; i < 2; i++) { /* empty is the same as unset */
		if (i)
			unsetenv("FERRY_REALM");
		else
			setenv("FERRY_REALM", "", 1);
		snprintf(wanted, sizeof wanted, "/run/ferry/%u", geteuid());
		if (lstat(wanted, &st) != 0)
			snprintf(wanted, sizeof wanted, "/dev/shm/ferry-%u",
				 geteuid());
		ok(ferryi_realm_default(buf, sizeof buf));
		ck_assert_str_eq(buf, wanted);
	}
}
END_TEST

/* --- directories --------------------------------------------------------------- */

static void sub(char out[300], const char *name)
{
	snprintf(out, 300, "%s/%s", realm_path(), name);
}

START_TEST(a_realm_that_is_missing_is_made_for_the_user_alone)
{
	char path[300];
	struct stat st;
	int fd;

	sub(path, "new");
	fails_saying(ferryi_realm_directory(path, false), -ENOENT, path);
	umask(0);
	fd = ferryi_realm_directory(path, true);
	ok(fd);
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	close(fd);
	ck_assert_int_eq(rmdir(path), 0);
	sub(path, "no/where");
	fails(ferryi_realm_directory(path, true), -ENOENT);
}
END_TEST

START_TEST(a_realm_that_is_a_symlink_or_a_file_is_refused)
{
	char path[300], target[300];
	struct ferryi_realm *r;

	sub(path, "link");
	sub(target, "target");
	mkdir(target, 0700);
	ck_assert_int_eq(symlink(target, path), 0);
	fails_saying(ferryi_realm_directory(path, false), -EACCES,
		     "symbolic link");
	fails(ferryi_realm_join(&r, path, FERRYI_MAKE_DIRECTORY), -EACCES);
	unlink(path);
	rmdir(target);
	scribble("link", "x", 1, 0);
	fails_saying(ferryi_realm_directory(path, true), -EACCES,
		     "no directory");
	unlink(path);
}
END_TEST

START_TEST(a_realm_that_everybody_may_write_to_is_refused)
{
	char path[300];

	sub(path, "open");
	mkdir(path, 0700);
	chmod(path, 01777);
	fails_saying(ferryi_realm_directory(path, false), -EACCES, "1777");
	chmod(path, 0770);
	ok(ferryi_realm_directory(path, false));
	rmdir(path);
}
END_TEST

START_TEST(the_automatic_realm_of_another_uid_is_refused)
{
	char path[100];
	int fd;

	if (geteuid() != 0)
		return;
	unsetenv("FERRY_REALM");
	snprintf(path, sizeof path, "/dev/shm/ferry-%u", geteuid());
	if (mkdir(path, 0700) != 0)
		return; /* in use: the runner could not give us our own */
	fd = ferryi_realm_directory(path, false);
	ok(fd);
	close(fd);
	ck_assert_int_eq(chown(path, 12345, (gid_t)-1), 0);
	fails_saying(ferryi_realm_directory(path, false), -EACCES,
		     "belongs to uid 12345");
	ck_assert_int_eq(chown(path, 0, (gid_t)-1), 0);
	chmod(path, 0770);
	fails_saying(ferryi_realm_directory(path, false), -EACCES, "0770");
	rmdir(path);
}
END_TEST

/* --- leases --------------------------------------------------------------------- */

static void join_and_tell(void *arg)
{
	struct ferryi_realm *r = join();

	s->owner[(intptr_t)arg] = ferryi_realm_owner(r);
	ferryi_realm_leave(r);
}

static void join_and_stay(void *arg)
{
	struct ferryi_realm *r = join();

	s->owner[(intptr_t)arg] = ferryi_realm_owner(r);
	gate_add(&s->ready);
	stay();
}

START_TEST(a_process_takes_part_once_and_leaves_with_its_last_reference)
{
	struct ferryi_realm *a = join(), *b = join();

	ck_assert_ptr_eq(a, b);
	ck_assert_uint_eq(ferryi_realm_owner(a), 0);
	ferryi_realm_leave(a);
	expect_exit(child(join_and_tell, (void *)0), 0);
	ck_assert_uint_eq(s->owner[0], 1);
	ferryi_realm_leave(b);
	expect_exit(child(join_and_tell, (void *)0), 0);
	ck_assert_uint_eq(s->owner[0], 0);
	a = join();
	ck_assert_uint_eq(ferryi_realm_owner(a), 0);
	ferryi_realm_leave(a);
}
END_TEST

#define CROWD 200

static void crowd_member(void *arg)
{
	struct ferryi_realm *r;

	gate_await(&s->go, 1);
	r = join();
	s->owner[(intptr_t)arg] = ferryi_realm_owner(r);
	gate_add(&s->ready);
	gate_await(&s->end, 1);
	ferryi_realm_leave(r);
}

START_TEST(two_hundred_processes_that_join_at_once_have_slots_of_their_own)
{
	bool seen[FERRYI_OWNERS] = { false };
	struct ferryi_realm *r;
	pid_t pid[CROWD];

	for (intptr_t i = 0; i < CROWD; i++)
		pid[i] = child(crowd_member, (void *)i);
	gate_add(&s->go);
	gate_await(&s->ready, CROWD);
	for (unsigned i = 0; i < CROWD; i++) {
		ck_assert_uint_lt(s->owner[i], FERRYI_OWNERS);
		ck_assert(!seen[s->owner[i]]);
		seen[s->owner[i]] = true;
	}
	gate_add(&s->end);
	for (unsigned i = 0; i < CROWD; i++)
		expect_exit(pid[i], 0);
	r = join();
	for (uint32_t i = 0; i < ferryi_registry_slots(&r->registry); i++)
		ck_assert(i == r->owner ||
			  !ferryi_slot_live(&r->registry.slots[i]));
	ferryi_realm_leave(r);
}
END_TEST

START_TEST(a_killed_ones_slot_is_reused_only_after_its_repair)
{
	struct ferryi_realm *r = join();
	pid_t pid = child(join_and_stay, (void *)1), third;
	uint32_t epoch;

	gate_await(&s->ready, 1);
	ck_assert_uint_eq(s->owner[1], 1);
	ck_assert_int_eq(ferryi_realm_look(r), 0);
	kill_child(pid);
	ck_assert(ferryi_slot_live(&r->registry.slots[1]));
	/* takes a free slot first, and repairs then, as whoever joins does */
	third = child(join_and_stay, (void *)2);
	gate_await(&s->ready, 2);
	ck_assert_uint_eq(s->owner[2], 2);
	ck_assert(!ferryi_slot_live(&r->registry.slots[1]));
	kill_child(third);
	epoch = r->registry.control->epoch;
	ck_assert_int_eq(ferryi_realm_look(r), 1);
	ck_assert_uint_ne(r->registry.control->epoch, epoch);
	ck_assert_int_eq(ferryi_realm_look(r), 0);
	expect_exit(child(join_and_tell, (void *)3), 0);
	ck_assert_uint_eq(s->owner[3], 1);
	ferryi_realm_leave(r);
}
END_TEST

/* Leave a child of our own that has our descriptors and so our lock. */
static void join_and_leave_an_orphan(void *arg)
{
	struct ferryi_realm *r = join();
	pid_t pid = arg ? raw_clone() : fork();

	if (pid == 0) {
		gate_add(&s->ready);
		gate_await(&s->end, 1);
		_exit(0);
	}

	s->owner[0] = ferryi_realm_owner(r);
	gate_add(&s->ready);
	stay();
}

START_TEST(a_forked_or_cloned_orphan_does_not_keep_its_parent_alive)
{
	struct ferryi_realm *r = join();
	pid_t pid = child(join_and_leave_an_orphan, _i ? &s : NULL);

	gate_await(&s->ready, 2);
	ck_assert_int_eq(ferryi_realm_look(r), 0);
	kill_child(pid);
	/* the raw clone has the lock still, and nothing could take it away */
	ck_assert_int_eq(ferryi_lock_held(r->fd, s->owner[0], 1), _i);
	ck_assert_int_eq(ferryi_realm_look(r), 1);
	ck_assert(!ferryi_slot_live(&r->registry.slots[s->owner[0]]));
	gate_add(&s->end);
	ferryi_realm_leave(r);
}
END_TEST

static void close_everything(void)
{
	ck_assert_int_eq(syscall(SYS_close_range, 3u, UINT_MAX, 0), 0);
}

static void go_on_without_descriptors(void *arg)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	static char text[100000];
	struct ferry_link *l;
	int alien[32];

	(void)arg;
	if (s->count[0] ==
	    1) { /* a mapping of an older description is reused */
		struct ferryi_realm *r = join();

		ferryi_realm_leave(r);
	}
	o.message_max = sizeof text;
	ok(ferry_mailbox_create(&l, "jobs", &o));
	close_everything();
	gate_add(&s->ready);
	gate_await(&s->go, 1);
	for (int i = 0; i < 32; i++) {
		alien[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		ck_assert_int_ge(alien[i], 0);
	}
	/* a few need no new memory, and so no descriptor */
	for (unsigned i = 0; i < s->count[1]; i++)
		ok(ferry_send(l, text, s->count[0] == 2 ? 1 : sizeof text,
			      FERRY_NOWAIT));
	gate_add(&s->ready);
	gate_await(&s->go, 2);
	ferry_close(l);
	for (int i = 0; i < 32; i++)
		ck_assert_msg(fcntl(alien[i], F_GETFD) >= 0,
			      "descriptor %d was not ours to close", alien[i]);
}

START_TEST(who_closes_all_descriptors_lives_and_goes_on)
{
	struct ferryi_realm *r = join();
	struct ferry_mailbox_stat st = { .size = sizeof st };
	struct ferry_link *l;
	pid_t pid;

	s->count[0] = (uint32_t)_i;
	s->count[1] = _i == 2 ? 1 : 60;
	pid = child(go_on_without_descriptors, NULL);
	gate_await(&s->ready, 1);
	ck_assert_int_eq(ferryi_realm_look(r), 0);
	gate_add(&s->go);
	gate_await(&s->ready, 2);
	ck_assert_int_eq(ferryi_realm_look(r), 0);
	ok(ferry_open(&l, "jobs", FERRY_RECV));
	ok(ferry_stat(l, &st));
	ck_assert_uint_eq(st.queued, s->count[1]);
	gate_add(&s->go);
	expect_exit(pid, 0);
	ferry_close(l);
	ferryi_realm_leave(r);
	ck_assert(!exists("jobs"));
}
END_TEST

/* Take a message and exec: another program, or us again, which joins again. */
static void take_and_exec(void *arg)
{
	struct ferry_message m;
	struct ferry_link *l;

	ok(ferry_open(&l, "jobs", FERRY_RECV));
	ok(ferry_take(l, &m, SOON));
	gate_add(&s->ready);
	if (arg) {
		char path[4096] =
			""; /* valgrind answers this, but not an exec */

		ck_assert(readlink("/proc/self/exe", path, sizeof path - 1) >
			  0);
		setenv(REEXEC, "1", 1);
		execl(path, "again", (char *)NULL);
	}
	execlp("cat", "cat", (char *)NULL);
	_exit(1);
}

/* The new image: joins, says so on its output, and stays until its input ends. */
static int reexec(void)
{
	struct ferry_link *l;
	char c;

	if (ferry_open(&l, "jobs", FERRY_RECV) < 0 || write(1, "j", 1) != 1)
		return 1;
	while (read(0, &c, 1) > 0)
		;
	ferry_close(l);
	return 0;
}

START_TEST(an_exec_ends_the_lease_and_gives_back_what_was_held)
{
	struct ferry_link *l = make("jobs", FERRY_PERSIST_PROCESS);
	struct ferry_message m;
	int in[2], out[2];
	pid_t pid;
	char c;

	ok(ferry_send(l, "x", 1, FERRY_NOWAIT));
	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		take_and_exec(_i ? &s : NULL);
	}
	close(in[0]);
	gate_await(&s->ready, 1);
	if (!_i)
		ck_assert_int_eq(write(in[1], "c", 1), 1);
	ck_assert_int_eq(read(out[0], &c, 1), 1); /* it has begun */
	ok(ferry_take(l, &m, SOON));
	ck_assert(m.redelivered);
	ok(ferry_release(&m));
	close(in[1]);
	expect_exit(pid, 0);
	ferry_close(l);
}
END_TEST

/* --- the registry ---------------------------------------------------------------- */

#define RETIRE_ROUNDS 300

static bool is_named(const struct ferryi_realm *r)
{
	struct stat st;

	return ferryi_stat_at(r->dir, FERRYI_REGISTRY_NAME, &st) == 0 &&
	       st.st_ino == r->ino;
}

static void come_and_go(void *arg)
{
	struct ferryi_realm *r;

	(void)arg;
	for (unsigned i = 0; i < RETIRE_ROUNDS; i++) {
		r = join();
		ck_assert_msg(is_named(r), "in a registry without a name");
		ferryi_realm_leave(r);
	}
}

START_TEST(nobody_ends_in_a_registry_that_was_removed)
{
	unsigned removed = 0, ended = 0;
	int status = 0;

	for (unsigned i = 0; i < 4; i++)
		child(come_and_go, NULL);
	while (ended < 4) {
		removed += ferryi_realm_retire(realm_path(), true) == 1;
		if (waitpid(-1, &status, WNOHANG) <= 0)
			continue;
		ended++;
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_gt(removed, 0);
}
END_TEST

START_TEST(a_registry_in_use_is_not_retired)
{
	struct ferryi_realm *r = join();

	ck_assert_int_eq(ferryi_realm_retire(realm_path(), true), 0);
	ferryi_realm_leave(r);
	scribble("object", "x", 1, 0);
	ck_assert_int_eq(ferryi_realm_retire(realm_path(), true), 0);
	erase("object");
	ck_assert_int_eq(ferryi_realm_retire(realm_path(), false), 1);
	ck_assert(exists(".ferry"));
	ck_assert_int_eq(ferryi_realm_retire(realm_path(), true), 1);
	ck_assert(!exists(".ferry"));
	ck_assert_int_eq(ferryi_realm_retire(realm_path(), true), 0);
}
END_TEST

START_TEST(unlink_removes_the_file_that_was_meant_and_no_newer_one)
{
	struct ferryi_realm *r = join();
	struct stat old, new;
	int fd;

	scribble("a", "x", 1, 0);
	fd = ferryi_open_at(r->dir, "a"); /* keeps its inode number taken */
	ok(ferryi_stat(fd, &old));
	erase("a");
	scribble("a", "y", 1, 0);
	ok(ferryi_realm_unlink(r, "a", &old));
	ck_assert(exists("a"));
	ok(ferryi_stat_at(r->dir, "a", &new));
	ok(ferryi_realm_unlink(r, "a", &new));
	ck_assert(!exists("a"));
	ok(ferryi_realm_unlink(r, "a", &new));
	close(fd);
	ferryi_realm_leave(r);
}
END_TEST

/* --- what is refused -------------------------------------------------------------- */

/* Ways to spoil a file, and what its next user is told. */
static const struct {
	const char *how;
	int err;
} spoilt[] = { { "format", -EPROTO }, { "feature", -EPROTO },
	       { "word", -EPROTO },   { "magic", -EBADMSG },
	       { "kind", -EBADMSG },  { "sum", -EBADMSG },
	       { "short", -EBADMSG }, { "long", -EBADMSG },
	       { "empty", -EBADMSG }, { "foreign", -EBADMSG } };

#define N_SPOILT (int)(sizeof spoilt / sizeof spoilt[0])

static void spoil(const char *name, int way, uint64_t bytes)
{
	static const uint8_t ones[8] = {
		255, 255, 255, 255, 255, 255, 255, 255
	};
	const char *how = spoilt[way].how;

	if (strcmp(how, "format") == 0)
		scribble(name, ones, 4,
			 offsetof(struct ferryi_preamble, format));
	else if (strcmp(how, "feature") == 0)
		scribble(name, ones, 1,
			 offsetof(struct ferryi_preamble, must_know));
	else if (strcmp(how, "word") == 0)
		scribble(name, ones, 1,
			 offsetof(struct ferryi_preamble, word_bits));
	else if (strcmp(how, "magic") == 0)
		scribble(name, ones, 8, 0);
	else if (strcmp(how, "kind") == 0)
		scribble(name, ones, 1, offsetof(struct ferryi_preamble, kind));
	else if (strcmp(how, "sum") == 0)
		scribble(name, ones, 8, sizeof(struct ferryi_preamble));
	else if (strcmp(how, "short") == 0)
		shorten(name, 4096);
	else if (strcmp(how, "long") == 0)
		shorten(name, (off_t)bytes + 4096);
	else if (strcmp(how, "empty") == 0)
		shorten(name, 0);
	else {
		erase(name);
		scribble(name, "#!/bin/sh\necho hello\n", 21, 0);
	}
}

START_TEST(a_registry_that_makes_no_sense_is_refused)
{
	struct ferryi_realm *r = join();

	ferryi_realm_leave(r);
	spoil(FERRYI_REGISTRY_NAME, _i, FERRYI_REGISTRY_BYTES);
	fails_saying(ferryi_realm_join(&r, realm_path(), FERRYI_MAKE_REGISTRY),
		     spoilt[_i].err, ".ferry");
	erase(FERRYI_REGISTRY_NAME);
	ferryi_realm_leave(join());
}
END_TEST

static void spoil_in_a_child(void *arg)
{
	struct ferry_link *l = make("jobs", FERRY_PERSIST_KERNEL);
	char path[300];
	struct stat st;

	sub(path, "jobs");
	ck_assert_int_eq(stat(path, &st), 0);
	ferry_close(l);
	spoil("jobs", (int)(intptr_t)arg, (uint64_t)st.st_size);
}

START_TEST(a_segment_that_makes_no_sense_is_refused)
{
	struct ferryi_choice c = small();
	struct ferryi_segment *g;
	struct ferryi_realm *r = join();
	struct ferry_link *l;

	expect_exit(child(spoil_in_a_child, (void *)(intptr_t)_i), 0);
	fails_saying(ferry_open(&l, "jobs", FERRY_RECV), spoilt[_i].err,
		     "jobs cannot be used");
	fails(ferryi_segment_open(&g, r, "jobs"), spoilt[_i].err);
	fails(ferryi_segment_create(&g, r, "jobs", &c, 0600, -1),
	      spoilt[_i].err);
	ck_assert(exists("jobs"));
	erase("jobs");
	ferryi_realm_leave(r);
}
END_TEST

START_TEST(a_directory_or_a_fifo_in_place_of_a_segment_is_refused)
{
	struct ferryi_realm *r = join();
	struct ferryi_segment *g;
	char path[300];

	sub(path, "jobs");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fails(ferryi_segment_open(&g, r, "jobs"), -EBADMSG);
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_lt(ferryi_segment_open(&g, r, "jobs"), 0);
	rmdir(path);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	fails(ferryi_segment_open(&g, r, "jobs"), -EINVAL);
	unlink(path);
	ferryi_realm_leave(r);
}
END_TEST

/* --- creation ---------------------------------------------------------------------- */

static int count_name(const char *name, void *arg)
{
	*(unsigned *)arg += name[0] != 0;
	return 0;
}

static unsigned names(struct ferryi_realm *r)
{
	unsigned n = 0;

	ok(ferryi_each_name(r->dir, count_name, &n));
	return n;
}

START_TEST(a_creation_that_fails_leaves_nothing)
{
	struct ferryi_choice c = small();
	struct ferryi_realm *r = join();
	struct ferryi_segment *g;
	struct rlimit limit = { 8192, 8192 };

	c.capacity = 0;
	fails_saying(ferryi_segment_create(&g, r, "a", &c, 0600, -1), -EINVAL,
		     "capacity");
	c = small();
	c.capacity = 1000;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	fails_saying(ferryi_segment_create(&g, r, "a", &c, 0600, -1), -ENOSPC,
		     "free");
	ck_assert_uint_eq(names(r), 1);
	ferryi_realm_leave(r);
}
END_TEST

#define CREATE_ROUNDS 50

static void create_each_round(void *arg)
{
	struct ferryi_realm *r = join();
	struct ferryi_choice c = small();

	(void)arg;
	for (uint32_t i = 1; i <= CREATE_ROUNDS; i++) {
		struct ferryi_segment *g;
		int e;

		gate_add(&s->ready);
		gate_await(&s->ready, 2 * i);
		e = ferryi_segment_create(&g, r, "jobs", &c, 0600, -1);
		ck_assert(e == 0 || e == -EEXIST);
		__atomic_add_fetch(&s->count[e != 0], 1, __ATOMIC_SEQ_CST);
		gate_add(&s->end);
		gate_await(&s->end, 2 * i);
		ferryi_segment_close(g);
		gate_add(&s->go);
		gate_await(&s->go, 2 * i);
	}
	ferryi_realm_leave(r);
}

START_TEST(of_two_creators_one_wins)
{
	pid_t a = child(create_each_round, NULL);
	pid_t b = child(create_each_round, NULL);

	expect_exit(a, 0);
	expect_exit(b, 0);
	ck_assert_uint_eq(s->count[0], CREATE_ROUNDS);
	ck_assert_uint_eq(s->count[1], CREATE_ROUNDS);
	ck_assert(!exists("jobs"));
}
END_TEST

#define CLOSE_ROUNDS 500

static void open_and_close(void *arg)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *l;

	(void)arg;
	o.capacity = 4;
	o.message_max = 64;
	o.full = FERRY_FULL_DROP_OLD;
	o.flags = FERRY_CREATE_IF_MISSING;
	gate_add(&s->ready);
	gate_await(&s->ready, 2);
	for (unsigned i = 0; i < CLOSE_ROUNDS; i++) {
		ok(ferry_mailbox_create(&l, "jobs", &o));
		ok(ferry_send(l, "x", 1, FERRY_NOWAIT));
		ferry_close(l);
	}
}

START_TEST(nobody_opens_what_the_last_user_is_removing)
{
	pid_t a = child(open_and_close, NULL);
	pid_t b = child(open_and_close, NULL);

	expect_exit(a, 0);
	expect_exit(b, 0);
	ck_assert(!exists("jobs"));
}
END_TEST

START_TEST(a_mailbox_of_processes_is_gone_after_its_last_close)
{
	struct ferry_link *a = make("jobs", FERRY_PERSIST_PROCESS), *b;

	ok(ferry_open(&b, "jobs", FERRY_RECV));
	ferry_close(a);
	ck_assert(exists("jobs"));
	ferry_close(b);
	ck_assert(!exists("jobs"));
	fails_saying(ferry_open(&b, "jobs", FERRY_RECV), -ENOENT, "jobs");
	ferry_close(make("kept", FERRY_PERSIST_KERNEL));
	ck_assert(exists("kept"));
	ok(ferry_destroy("kept"));
	ck_assert(!exists("kept"));
}
END_TEST

static void make_and_stay(void *arg)
{
	struct ferry_link *l = make("jobs", FERRY_PERSIST_PROCESS);

	(void)arg;
	ok(ferry_send(l, "old", 3, FERRY_NOWAIT));
	gate_add(&s->ready);
	stay();
}

static void leave_it_abandoned(void)
{
	uint32_t before = gate_count(&s->ready);
	pid_t pid = child(make_and_stay, NULL);

	gate_await(&s->ready, before + 1);
	kill_child(pid);
	ck_assert(exists("jobs"));
}

START_TEST(an_abandoned_mailbox_is_gone_at_the_next_open_create_or_gc)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };
	struct ferry_garbage *g;
	struct ferry_link *l;
	size_t n;

	leave_it_abandoned();
	fails(ferry_open(&l, "jobs", FERRY_RECV), -ENOENT);
	ck_assert(!exists("jobs"));

	s->ready = 0;
	leave_it_abandoned();
	l = make("jobs", FERRY_PERSIST_PROCESS);
	ok(ferry_stat(l, &st));
	ck_assert_uint_eq(st.queued, 0);
	ferry_close(l);

	s->ready = 0;
	leave_it_abandoned();
	ok(ferry_gc(NULL, true, &g, &n));
	ck_assert_uint_gt(n, 0);
	ferry_free(g);
	ck_assert(!exists("jobs"));
}
END_TEST

START_TEST(who_is_in_the_realm_already_finds_an_abandoned_mailbox_too)
{
	struct ferryi_realm *r = join();
	struct ferry_link *l;

	leave_it_abandoned();
	fails(ferry_open(&l, "jobs", FERRY_RECV), -ENOENT);
	ck_assert(!exists("jobs"));
	ferryi_realm_leave(r);
}
END_TEST

START_TEST(a_removal_that_was_begun_is_finished_by_the_next_one_who_joins)
{
	struct ferryi_realm *r = join();
	uint32_t retired = 1;

	ferryi_realm_leave(r);
	scribble(FERRYI_REGISTRY_NAME, &retired, sizeof retired,
		 FERRYI_HEADER_BYTES +
			 offsetof(struct ferryi_registry_control, retired));
	r = join(); /* J3: who removed it died before the name went */
	ck_assert(is_named(r));
	ck_assert_uint_eq(r->registry.control->retired, 0);
	ferryi_realm_leave(r);
}
END_TEST

int main(void)
{
	TCase *t;

	if (getenv(REEXEC))
		return reexec();
	t = tcase_create("realm");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, a_name_leads_to_a_directory_and_a_name_in_it, 0,
			    sizeof good / sizeof good[0]);
	tcase_add_loop_test(t, a_name_that_is_none_is_refused_with_a_sentence,
			    0, sizeof bad / sizeof bad[0]);
	tcase_add_test(t, names_have_at_most_200_bytes);
	tcase_add_test(t, a_path_that_is_too_long_is_refused);
	tcase_add_test(
		t, the_default_realm_is_that_of_the_environment_or_of_the_user);
	tcase_add_test(t, a_realm_that_is_missing_is_made_for_the_user_alone);
	tcase_add_test(t, a_realm_that_is_a_symlink_or_a_file_is_refused);
	tcase_add_test(t, a_realm_that_everybody_may_write_to_is_refused);
	tcase_add_test(t, the_automatic_realm_of_another_uid_is_refused);
	tcase_add_test(
		t,
		a_process_takes_part_once_and_leaves_with_its_last_reference);
	tcase_add_test(
		t,
		two_hundred_processes_that_join_at_once_have_slots_of_their_own);
	tcase_add_test(t, a_killed_ones_slot_is_reused_only_after_its_repair);
	tcase_add_loop_test(
		t, a_forked_or_cloned_orphan_does_not_keep_its_parent_alive, 0,
		2);
	tcase_add_loop_test(t, who_closes_all_descriptors_lives_and_goes_on, 0,
			    3);
	tcase_add_loop_test(
		t, an_exec_ends_the_lease_and_gives_back_what_was_held, 0, 2);
	tcase_add_test(t, nobody_ends_in_a_registry_that_was_removed);
	tcase_add_test(t, a_registry_in_use_is_not_retired);
	tcase_add_test(t,
		       unlink_removes_the_file_that_was_meant_and_no_newer_one);
	tcase_add_loop_test(t, a_registry_that_makes_no_sense_is_refused, 0,
			    N_SPOILT);
	tcase_add_loop_test(t, a_segment_that_makes_no_sense_is_refused, 0,
			    N_SPOILT);
	tcase_add_test(t,
		       a_directory_or_a_fifo_in_place_of_a_segment_is_refused);
	tcase_add_test(t, a_creation_that_fails_leaves_nothing);
	tcase_add_test(t, of_two_creators_one_wins);
	tcase_add_test(t, nobody_opens_what_the_last_user_is_removing);
	tcase_add_test(t, a_mailbox_of_processes_is_gone_after_its_last_close);
	tcase_add_test(
		t, an_abandoned_mailbox_is_gone_at_the_next_open_create_or_gc);
	tcase_add_test(
		t, who_is_in_the_realm_already_finds_an_abandoned_mailbox_too);
	tcase_add_test(
		t,
		a_removal_that_was_begun_is_finished_by_the_next_one_who_joins);
	return unit_main(t, "realm");
}
