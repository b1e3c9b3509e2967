/* SPDX-License-Identifier: MIT */
/*
 * Run one test in a place of its own and see that it leaves nothing behind.
 *
 *	runner [-t SECONDS] [-w] PROGRAM [ARGUMENT...]
 *
 * The test gets an empty realm ($FERRY_REALM) and an empty $TMPDIR.  Where the
 * system lets us (as root), it also gets a private /dev/shm and private message
 * queues, so that whatever appears there is the test's.  When it has run for
 * SECONDS, it and everything it started is killed.
 *
 * Afterwards it must have left no file, segment, socket or queue, and no
 * process: whatever it started comes back to us, the subreaper of the tree.
 * Each thing left is named on stderr, removed, and fails the test.
 *
 * Exit status: the test's own (77 means skipped), or 1 when it left something,
 * ended by a signal or was out of time.
 *
 *	FERRY_TEST_SLOW=N	the time-out is N times as long, and so are
 *				those of Check
 *	FERRY_TEST_WRAP=WORDS	with -w: put these words in front of PROGRAM
 *
 * test/self/runner_test.sh proves that it notices.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/tree.h"

#define DEFAULT_SECONDS 60
/* What the test has already killed may take so long to be gone. */
#define GRACE_MS 1000

static char realm[64] = "/dev/shm/ferry-test.XXXXXX";
static char tmp[4096];
static bool private_names; /* /dev/shm and /dev/mqueue are ours alone */
static bool failed;

static void die(const char *what)
{
	fprintf(stderr, "runner: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void complain(const char *what, const char *name)
{
	fprintf(stderr, "runner: the test %s%s\n", what, name);
	failed = true;
}

/* --- the place ----------------------------------------------------------- */

static void make_place(void)
{
	const char *base = getenv("TMPDIR");

	private_names = unshare(CLONE_NEWNS | CLONE_NEWIPC) == 0 &&
			mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ==
				0 &&
			mount("none", "/dev/shm", "tmpfs", 0, "mode=1777") == 0;
	if (private_names && access("/dev/mqueue", F_OK) == 0)
		(void)!mount("none", "/dev/mqueue", "mqueue", 0, NULL);
	snprintf(tmp, sizeof tmp, "%s/ferry-test.XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(realm))
		die(realm);
	if (!mkdtemp(tmp))
		die(tmp);
	setenv("FERRY_REALM", realm, 1);
	setenv("TMPDIR", tmp, 1);
}

static void remove_place(void)
{
	tree_remove(realm);
	tree_remove(tmp);
}

/* Complain of every name in `path` but the one that may be there. */
static void check_directory(const char *path, const char *allowed,
			    const char *what)
{
	DIR *d = opendir(path);
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    strcmp(e->d_name, allowed) != 0)
			complain(what, e->d_name);
	}
	closedir(d);
}

/* Behind the heading of the list a line each. */
static void check_sysv_queues(void)
{
	FILE *f = fopen("/proc/sysvipc/msg", "re");
	char line[256];

	if (!f)
		return;
	for (int i = 0; fgets(line, sizeof line, f); i++)
		if (i > 0)
			complain("left a System V queue: ", strtok(line, "\n"));
	fclose(f);
}

static void check_names(void)
{
	check_directory(realm, ".ferry", "left in its realm: ");
	check_directory(tmp, "", "left in TMPDIR: ");
	if (!private_names)
		return;
	check_directory("/dev/shm", strrchr(realm, '/') + 1,
			"left in /dev/shm: ");
	check_directory("/dev/mqueue", "", "left a message queue: ");
	check_sysv_queues();
}

/* --- the processes ------------------------------------------------------- */

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Call `each` for the children we have now. */
static void each_child(void (*each)(pid_t pid))
{
	char path[64];
	FILE *f;
	int pid;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	if (!f)
		return;
	while (fscanf(f, "%d", &pid) == 1)
		each(pid);
	fclose(f);
}

static void kill_one(pid_t pid)
{
	kill(pid, SIGKILL);
}

/* Orphans of the killed become our children: repeat until there are none. */
static void kill_all(void)
{
	pid_t pid;

	do {
		each_child(kill_one);
		pid = waitpid(-1, NULL, 0);
	} while (pid > 0 || errno == EINTR);
}

static void name_one(pid_t pid)
{
	char path[64], text[200], comm[64] = "?\n";
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (f) {
		(void)!fgets(comm, sizeof comm, f);
		fclose(f);
	}
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(text, sizeof text, "%d (%s)", pid, comm);
	complain("left a process: ", text);
}

/* Whether a child is left after a moment in which the dying may go. */
static bool processes_left(void)
{
	long long end = now_ms() + GRACE_MS;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0) {
		if (pid > 0)
			continue;
		if (now_ms() > end)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	return false;
}

/* --- the test ------------------------------------------------------------ */

#define MAX_WORDS 256

/* The command: the words of FERRY_TEST_WRAP, if wanted, and argv. */
static char **command(char **argv, int argc, bool wrap)
{
	static char *all[MAX_WORDS], words[1024];
	const char *wanted = wrap ? getenv("FERRY_TEST_WRAP") : NULL;
	int n = 0;

	snprintf(words, sizeof words, "%s", wanted ? wanted : "");
	for (char *w = strtok(words, " "); w && n < 31; w = strtok(NULL, " "))
		all[n++] = w;
	if (n + argc >= MAX_WORDS)
		die("too many arguments");
	memcpy(all + n, argv, (size_t)argc * sizeof *argv);
	return all;
}

static pid_t start(char **argv, const sigset_t *old_mask)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, old_mask, NULL);
		execvp(argv[0], argv);
		die(argv[0]);
	}
	return pid;
}

static int status_of(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	complain("was ended by a signal: ", strsignal(WTERMSIG(status)));
	return 1;
}

/* Wait for the test, its time-out, or a signal to us: its status, or 1. */
static int watch(pid_t test, long long end, const sigset_t *mask)
{
	struct timespec ts;
	long long left;
	int status, sig;

	for (;;) {
		if (waitpid(test, &status, WNOHANG) == test)
			return status_of(status);
		left = end - now_ms();
		if (left <= 0) {
			complain("was out of time", "");
			return 1;
		}
		ts = (struct timespec){ left / 1000, left % 1000 * 1000000 };
		sig = sigtimedwait(mask, NULL, &ts);
		if (sig > 0 && sig != SIGCHLD) {
			complain("was interrupted: ", strsignal(sig));
			return 1;
		}
	}
}

int main(int argc, char **argv)
{
	const char *slow = getenv("FERRY_TEST_SLOW");
	long long seconds = DEFAULT_SECONDS;
	sigset_t mask, old_mask;
	bool wrap = false;
	int opt, status;

	while ((opt = getopt(argc, argv, "+t:w")) != -1) {
		if (opt == 't')
			seconds = atoll(optarg);
		else if (opt == 'w')
			wrap = true;
		else
			return 2;
	}
	if (optind == argc)
		return 2;
	if (slow) {
		seconds *= atoll(slow);
		setenv("CK_TIMEOUT_MULTIPLIER", slow, 1);
	}

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, &old_mask);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		die("PR_SET_CHILD_SUBREAPER");
	make_place();
	status = watch(start(command(argv + optind, argc - optind, wrap),
			     &old_mask),
		       now_ms() + seconds * 1000, &mask);
	if (!failed && processes_left())
		each_child(name_one);
	kill_all();
	check_names();
	remove_place();
	return failed && (status == 0 || status == 77) ? 1 : status;
}
