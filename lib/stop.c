/*
 * The stop flag; see stop.h.  The handler sets the flag, writes a byte to a
 * pipe so that poll() wakes, and, the second time, leaves at once.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "lib/stop.h"

static volatile sig_atomic_t asked;
static int wake[2] = { -1, -1 };
static void (*also_call)(void);

static void
on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	if (asked)
		_exit(1);
	asked = 1;
	if (also_call != NULL)
		also_call();
	if (write(wake[1], "", 1) == -1) {
		/* The pipe is full: whoever reads it wakes anyway. */
	}
	errno = saved;
}

/*
 * Installs the handler for SIGTERM and SIGINT, ignores SIGPIPE.  also (may be
 * NULL) is called in the handler, so it must be async-signal-safe.
 */
void
stop_install(void (*also)(void))
{
	struct sigaction sa;

	also_call = also;
	if (wake[0] == -1 && pipe2(wake, O_CLOEXEC | O_NONBLOCK) == -1)
		wake[0] = wake[1] = -1;
	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = on_signal; /* no SA_RESTART: waits must end */
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
}

bool
stop_asked(void)
{
	return asked != 0;
}

/* Asks this process to stop, as a SIGTERM would. */
void
stop_ask(void)
{
	if (!asked)
		raise(SIGTERM);
}

/* Becomes readable, and stays so, when a stop was asked; -1 = no pipe. */
int
stop_fd(void)
{
	return wake[0];
}
