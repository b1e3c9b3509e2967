/* SPDX-License-Identifier: MIT */
/* See signals.h. */
#include "sys/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static sigset_t set_of(uint64_t bits)
{
	sigset_t set;

	sigemptyset(&set);
	for (int n = 1; n <= 64; n++)
		if (bits & ferryi_signal_bit(n))
			sigaddset(&set, n);
	return set;
}

int ferryi_signal_rt_min(void)
{
	return SIGRTMIN;
}

int ferryi_signal_rt_max(void)
{
	return SIGRTMAX;
}

int ferryi_signals_block(uint64_t bits, uint64_t *out_fresh)
{
	sigset_t set = set_of(bits), before;
	int err = pthread_sigmask(SIG_BLOCK, &set, &before);

	if (err)
		return -err;
	*out_fresh = bits;
	for (int n = 1; n <= 64; n++)
		if (bits & ferryi_signal_bit(n) && sigismember(&before, n) == 1)
			*out_fresh &= ~ferryi_signal_bit(n);
	return 0;
}

void ferryi_signals_drop(uint64_t bits)
{
	static const struct timespec now;
	sigset_t set = set_of(bits);

	if (!bits)
		return;
	while (sigtimedwait(&set, NULL, &now) > 0 || errno == EINTR)
		;
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int ferryi_signals_open(uint64_t bits)
{
	sigset_t set = set_of(bits);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int ferryi_signals_read(int fd, struct ferryi_signal_info *out)
{
	struct signalfd_siginfo s;
	ssize_t n;

	while ((n = read(fd, &s, sizeof s)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return -errno;
	if (n != sizeof s)
		return -EIO;
	*out = (struct ferryi_signal_info){ .number = (int)s.ssi_signo,
					    .code = s.ssi_code,
					    .status = s.ssi_status,
					    .value = s.ssi_int,
					    .pid = s.ssi_pid,
					    .uid = s.ssi_uid,
					    .overrun = s.ssi_overrun,
					    .wide = s.ssi_ptr };
	return 0;
}

int ferryi_pidfd_open(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0); /* born close-on-exec */

	return fd < 0 ? -errno : (int)fd;
}

static int send_info(int fd, int number, siginfo_t *info)
{
	return syscall(SYS_pidfd_send_signal, fd, number, info, 0) == 0 ?
		       0 :
		       -errno;
}

int ferryi_pidfd_send(int fd, int number)
{
	return send_info(fd, number, NULL);
}

int ferryi_pidfd_send_value(int fd, int number, const void *value, size_t len)
{
	siginfo_t info;

	memset(&info, 0, sizeof info);
	info.si_signo = number;
	info.si_code = SI_QUEUE;
	info.si_pid = getpid();
	info.si_uid = getuid();
	if (len == sizeof info.si_value.sival_int)
		memcpy(&info.si_value.sival_int, value, len);
	else
		memcpy(&info.si_value.sival_ptr, value,
		       sizeof info.si_value.sival_ptr);
	return send_info(fd, number, &info);
}

int ferryi_group_send(pid_t group, int number)
{
	return kill(-group, number) == 0 ? 0 : -errno;
}
