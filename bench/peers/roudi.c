/* SPDX-License-Identifier: MIT */
/*
 * A keeper, a child of the bench, starts the daemon and reads from a pipe whose
 * other end the bench and both sides have.  When all of them are gone, ended or
 * killed, it ends the daemon.
 *
 * The daemon aborts instead where a client is gone without farewell, or where
 * another daemon is at work.  It then leaves files, 63 MiB of them in /dev/shm:
 * the keeper starts another one, which takes them over and removes them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include "roudi.h"

#define READY	 "RouDi is ready for clients"
#define PATIENCE 10000	     /* ms */
#define ITS_OWN	 (80u << 20) /* what it takes, 63 MiB, and some */

static pid_t keeper, family;
static int life = -1;	/* the keeper waits for its end */
static char said[4096]; /* by the daemon, until it was ready */

/*
 * It must not watch its clients: one that is kept from its CPU for 1.5 s would
 * be dead to it, and lose its memory.
 */
static void daemon_run(int config, int output)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }); /* it may abort */
	signal(SIGPIPE, SIG_IGN); /* nobody listens once it is ready */
	dup2(config, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execlp("iox-roudi", "iox-roudi", "-m", "off", "-c", "/dev/stdin", NULL);
	fprintf(stderr, "fatal: %s", strerror(errno));
	_exit(127);
}

static pid_t daemon_new(int config, int output)
{
	pid_t pid = fork();

	if (pid == 0)
		daemon_run(config, output);
	close(output);
	return pid;
}

static bool is_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	said[0] = 0;
	while (poll(&p, 1, PATIENCE) == 1 &&
	       (n = read(fd, said + len, sizeof said - 1 - len)) > 0) {
		len += (size_t)n;
		said[len] = 0;
		if (strstr(said, READY))
			return true;
	}
	return false;
}

/* True when it has ended in order. */
static bool daemon_end(pid_t pid, int sig)
{
	int status;

	if (pid < 0)
		return true;
	kill(pid, sig);
	return waitpid(pid, &status, 0) == pid && status == 0;
}

/* True when a client is gone that has not removed its socket. */
static bool is_orphaned(void)
{
	bool was_there = false;
	char name[40], path[64];

	for (int side = 0; side < 2; side++) {
		roudi_client(name, sizeof name, side);
		snprintf(path, sizeof path, "/tmp/%s", name);
		was_there |= unlink(path) == 0;
		snprintf(path, sizeof path, "/tmp/%s.lock", name);
		unlink(path);
	}
	return was_there;
}

static void clean_up(int config)
{
	int fd[2];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return;
	pid = daemon_new(config, fd[1]);
	is_ready(fd[0]);
	daemon_end(pid, SIGTERM);
}

/* Not in the group of the bench, for what ends that must not end the keeper. */
static void keep(int config, int output, int end)
{
	pid_t pid;
	char c;

	setpgid(0, 0);
	pid = daemon_new(config, output);
	while (read(end, &c, 1) < 0 && errno == EINTR)
		;
	if (!daemon_end(pid, is_orphaned() ? SIGKILL : SIGTERM))
		clean_up(config);
	_exit(0);
}

/* Where there is not, it dies of SIGBUS, and so would who cleans up. */
static bool is_room(size_t bytes)
{
	struct statvfs fs;

	return statvfs("/dev/shm", &fs) < 0 ||
	       fs.f_bavail * fs.f_frsize > ITS_OWN + bytes;
}

/* Its default memory may be too small, and takes longer to be made. */
static int config_new(size_t size, unsigned count)
{
	int fd = memfd_create("roudi.toml", MFD_CLOEXEC);

	dprintf(fd,
		"[general]\nversion = 1\n[[segment]]\n"
		"[[segment.mempool]]\nsize = %zu\ncount = %u\n",
		(size + 7) & ~(size_t)7, count);
	return fd;
}

/* The sentence that the daemon's log calls fatal. */
static const char *reason(void)
{
	char *from = strcasestr(said, "fatal"), *colon;

	if (!from)
		return "it does not say why";
	from[strcspn(from, "\n")] = 0;
	colon = strstr(from, ": ");
	return colon ? colon + 2 : from;
}

const char *roudi_start(size_t size, unsigned count)
{
	int config = config_new(size, count), output[2], end[2];
	bool ready;

	if (!is_room(size * count))
		return "there is no room for its memory in /dev/shm";
	if (config < 0 || pipe2(output, O_CLOEXEC) < 0 ||
	    pipe2(end, O_CLOEXEC) < 0)
		return strerror(errno);
	family = getpid();
	keeper = fork();
	if (keeper < 0)
		return strerror(errno);
	if (keeper == 0) {
		close(end[1]);
		close(output[0]);
		keep(config, output[1], end[0]);
	}
	life = end[1];
	close(config);
	close(output[1]);
	close(end[0]);
	ready = is_ready(output[0]);
	close(output[0]);
	if (ready)
		return NULL;
	roudi_end();
	return reason();
}

void roudi_client(char *name, size_t size, int side)
{
	snprintf(name, size, "ferry-bench-%d-%d", (int)family, side);
}

void roudi_end(void)
{
	close(life);
	waitpid(keeper, NULL, 0);
}
