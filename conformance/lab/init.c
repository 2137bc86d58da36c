// SPDX-License-Identifier: MIT
/*
 * The first process of a guest: loads modules, mounts, and runs the executor on a port.
 *
 * When the executor ends, our module is unloaded and the guest is switched off.  What goes wrong is said in the kernel
 * log; so is what kmemleak finds, if the kernel has it.  The environment, which comes from the kernel's command line,
 * names the devices:
 *
 *     MAPSPEC_PORT   where requests come from; none: stdin and stdout, made raw
 *     MAPSPEC_DISK   a disk with ext4, mounted on /var/tmp
 *     MAPSPEC_SWAP   a disk to swap to
 *
 * The file /modules has a line for each module to load: its path and its parameters.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, KMEMLEAK_AGE_MS = 6000 /* mm/kmemleak.c: MSECS_MIN_AGE, and a second */ };

static const char kmemleak[] = "/sys/kernel/debug/kmemleak";

/* A line in the kernel log, which the console shows. */
static void say(const char *format, ...)
{
	int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[256];
	va_list arguments;
	int length = snprintf(line, sizeof(line), "<1>mapspec: ");

	va_start(arguments, format);
	vsnprintf(line + length, sizeof(line) - (size_t)length - 1, format, arguments);
	va_end(arguments);
	strcat(line, "\n"); /* else the kernel waits for the rest of it */
	if (log < 0 || write(log, line, strlen(line)) < 0)
		return; /* there is nobody to tell */
	close(log);
}

static _Noreturn void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static _Noreturn void give_up(const char *what, const char *which)
{
	say("init: %s %s: %s", what, which, strerror(errno));
	power_off();
}

static void mounted(const char *type, const char *source, const char *target)
{
	mkdir(target, 0755);
	if (mount(source, target, type, 0, "") < 0 && errno != EBUSY)
		give_up("cannot mount", target);
}

/* Opens a device, which may appear late. */
static int opened(const char *path, int flags)
{
	int fd = -1;

	for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
		fd = open(path, flags);
		if (fd >= 0 || (errno != ENOENT && errno != ENXIO && errno != ENODEV && errno != EBUSY))
			break;
		poll(NULL, 0, 10);
	}
	if (fd < 0)
		give_up("cannot open", path);
	return fd;
}

static void load_modules(void)
{
	FILE *list = fopen("/modules", "re");
	char line[512];

	while (list && fgets(line, sizeof(line), list)) {
		char *parameters;
		int fd;

		line[strcspn(line, "\n")] = 0;
		parameters = line + strcspn(line, " ");
		if (*parameters)
			*parameters++ = 0;
		fd = opened(line, O_RDONLY | O_CLOEXEC);
		if (syscall(SYS_finit_module, fd, parameters, 0) < 0 && errno != EEXIST)
			give_up("cannot load", line);
		close(fd);
	}
	if (list)
		fclose(list);
}

/* Swap on a disk that seeks has no clusters, and large folios are split before they are written (up to 6.12). */
static void say_that_nothing_turns(const char *disk)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/block/%s/queue/rotational", strrchr(disk, '/') + 1);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		give_up("cannot write to", path);
	close(fd);
}

static void use_disks(void)
{
	const char *disk = getenv("MAPSPEC_DISK"), *swap = getenv("MAPSPEC_SWAP");

	if (disk) {
		close(opened(disk, O_RDONLY | O_CLOEXEC));
		mounted("ext4", disk, "/var/tmp");
	}
	if (swap) {
		close(opened(swap, O_RDONLY | O_CLOEXEC));
		say_that_nothing_turns(swap);
		if (swapon(swap, 0) < 0)
			give_up("cannot swap to", swap);
	}
}

/* Makes the port stdin and stdout. */
static void use_port(void)
{
	const char *port = getenv("MAPSPEC_PORT");
	struct termios how;

	if (port) {
		int fd = opened(port, O_RDWR | O_NOCTTY);

		if (dup2(fd, 0) < 0 || dup2(fd, 1) < 0)
			give_up("cannot use", port);
		if (fd > 1)
			close(fd);
	}
	if (tcgetattr(0, &how) == 0) {
		cfmakeraw(&how);
		tcsetattr(0, TCSANOW, &how);
	}
}

/* Runs the executor and waits for its end; other children are those that have lost their parents. */
static void run(const char *path)
{
	pid_t executor = fork(), ended;
	int status = 0;

	if (executor == 0) {
		setsid();
		execl(path, path, NULL);
		_exit(127);
	}
	close(0);
	close(1);
	do
		ended = wait(&status);
	while (ended != executor && (ended > 0 || errno == EINTR));
	if (WIFSIGNALED(status))
		say("the executor died of signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		say("the executor exited with status %d", WEXITSTATUS(status));
}

/* Whether there is kmemleak, and it has done so. */
static bool told_kmemleak(const char *command)
{
	int fd = open(kmemleak, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, command, strlen(command)) > 0;

	if (fd >= 0)
		close(fd);
	return done;
}

/* What is lost before the executor starts is not our business. */
static void start_kmemleak(void)
{
	mount("debug", "/sys/kernel/debug", "debugfs", 0, "");
	if (told_kmemleak("scan"))
		told_kmemleak("clear");
}

/*
 * Says `leak: unreferenced object … in FUNCTION FUNCTION …` for each object that nothing points to.  What has changed
 * since the scan before is not told, so there are two.  The module must not be unloaded yet: its functions have names.
 */
static void ask_kmemleak(void)
{
	char line[256], told[200] = "";
	bool frames = false;
	FILE *list;

	if (access(kmemleak, F_OK) < 0)
		return;
	poll(NULL, 0, KMEMLEAK_AGE_MS);
	list = told_kmemleak("scan") && told_kmemleak("scan") ? fopen(kmemleak, "re") : NULL;
	if (!list)
		return say("init: cannot use %s: %s", kmemleak, strerror(errno));
	while (fgets(line, sizeof(line), list)) {
		size_t length = strlen(told);

		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "unreferenced", strlen("unreferenced"))) {
			if (*told)
				say("leak: %s", told);
			snprintf(told, sizeof(told), "%.60s in", line);
			frames = false;
		} else if (frames) { /* [<0>] FUNCTION+0x1/0x2 [MODULE]; newer ones without the address */
			const char *at = strstr(line, ">] "), *module;

			at = at ? at + strlen(">] ") : line + strspn(line, " ");
			module = strchr(at, '[');
			snprintf(told + length, sizeof(told) - length, " %.*s%s", (int)strcspn(at, "+"), at, module ? module : "");
		}
		frames |= !strncmp(line, "  backtrace", strlen("  backtrace"));
	}
	if (*told)
		say("leak: %s", told);
	fclose(list);
	say("kmemleak has looked");
}

/* Whether everything is back is known when the module is gone: it says how many pages are not. */
static void unload(const char *module)
{
	if (syscall(SYS_delete_module, module, O_NONBLOCK) == 0)
		say("unloaded");
	else
		say("init: cannot unload %s: %s", module, strerror(errno));
}

int main(void)
{
	mounted("devtmpfs", "dev", "/dev");
	mounted("proc", "proc", "/proc");
	mounted("sysfs", "sys", "/sys");
	mkdir("/dev/shm", 01777);
	load_modules();
	use_disks();
	start_kmemleak();
	use_port();
	say("ready");
	run("/executor");
	ask_kmemleak();
	unload("mapspec");
	power_off();
}
