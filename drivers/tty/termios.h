/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Terminal settings as Linux programs see them on x86-64: the 36-byte kernel termios, its flag
 * bits, and the numbers of the terminal ioctls. Layout and numbers are those of the Linux user ABI.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TTY_NCCS 19

struct tty_termios {
	uint32_t c_iflag;
	uint32_t c_oflag;
	uint32_t c_cflag;
	uint32_t c_lflag;
	uint8_t c_line;
	uint8_t c_cc[TTY_NCCS];
};
_Static_assert(sizeof(struct tty_termios) == 36, "the kernel termios has 36 bytes");

struct tty_winsize {
	uint16_t rows;
	uint16_t columns;
	uint16_t width_pixels;
	uint16_t height_pixels;
};

/* c_iflag */
#define TTY_IGNBRK  0000001u
#define TTY_BRKINT  0000002u
#define TTY_IGNPAR  0000004u
#define TTY_PARMRK  0000010u
#define TTY_INPCK   0000020u
#define TTY_ISTRIP  0000040u
#define TTY_INLCR   0000100u
#define TTY_IGNCR   0000200u
#define TTY_ICRNL   0000400u
#define TTY_IUCLC   0001000u
#define TTY_IXON    0002000u
#define TTY_IXANY   0004000u
#define TTY_IXOFF   0010000u
#define TTY_IMAXBEL 0020000u
#define TTY_IUTF8   0040000u

/* c_oflag */
#define TTY_OPOST  0000001u
#define TTY_OLCUC  0000002u
#define TTY_ONLCR  0000004u
#define TTY_OCRNL  0000010u
#define TTY_ONOCR  0000020u
#define TTY_ONLRET 0000040u
#define TTY_TABDLY 0014000u
#define TTY_XTABS  0014000u

/* c_cflag */
#define TTY_CBAUD   0010017u
#define TTY_B0      0000000u
#define TTY_B9600   0000015u
#define TTY_B38400  0000017u
#define TTY_B115200 0010002u
#define TTY_CSIZE   0000060u
#define TTY_CS5     0000000u
#define TTY_CS6     0000020u
#define TTY_CS7     0000040u
#define TTY_CS8     0000060u
#define TTY_CSTOPB  0000100u
#define TTY_CREAD   0000200u
#define TTY_PARENB  0000400u
#define TTY_PARODD  0001000u
#define TTY_HUPCL   0002000u
#define TTY_CLOCAL  0004000u

/* c_lflag */
#define TTY_ISIG    0000001u
#define TTY_ICANON  0000002u
#define TTY_ECHO    0000010u
#define TTY_ECHOE   0000020u
#define TTY_ECHOK   0000040u
#define TTY_ECHONL  0000100u
#define TTY_NOFLSH  0000200u
#define TTY_TOSTOP  0000400u
#define TTY_ECHOCTL 0001000u
#define TTY_ECHOPRT 0002000u
#define TTY_ECHOKE  0004000u
#define TTY_IEXTEN  0100000u

/* indices of c_cc */
enum tty_cc {
	TTY_VINTR = 0,
	TTY_VQUIT = 1,
	TTY_VERASE = 2,
	TTY_VKILL = 3,
	TTY_VEOF = 4,
	TTY_VTIME = 5,
	TTY_VMIN = 6,
	TTY_VSWTC = 7,
	TTY_VSTART = 8,
	TTY_VSTOP = 9,
	TTY_VSUSP = 10,
	TTY_VEOL = 11,
	TTY_VREPRINT = 12,
	TTY_VDISCARD = 13,
	TTY_VWERASE = 14,
	TTY_VLNEXT = 15,
	TTY_VEOL2 = 16,
};

/* A control character of this value is switched off. */
#define TTY_CC_DISABLED 0

/* ioctl numbers */
#define TTY_TCGETS     0x5401u
#define TTY_TCSETS     0x5402u
#define TTY_TCSETSW    0x5403u
#define TTY_TCSETSF    0x5404u
#define TTY_TCSBRK     0x5409u
#define TTY_TCXONC     0x540Au
#define TTY_TCFLSH     0x540Bu
#define TTY_TIOCEXCL   0x540Cu
#define TTY_TIOCNXCL   0x540Du
#define TTY_TIOCSPGRP  0x5410u
#define TTY_TIOCOUTQ   0x5411u
#define TTY_TIOCSTI    0x5412u
#define TTY_TIOCGWINSZ 0x5413u
#define TTY_TIOCSWINSZ 0x5414u
#define TTY_TIOCMGET   0x5415u
#define TTY_TIOCMBIS   0x5416u
#define TTY_TIOCMBIC   0x5417u
#define TTY_TIOCMSET   0x5418u
#define TTY_FIONREAD   0x541Bu
#define TTY_TCSBRKP    0x5425u

/* arguments of TCXONC and TCFLSH */
enum tty_tcxonc { TTY_TCOOFF = 0, TTY_TCOON = 1, TTY_TCIOFF = 2, TTY_TCION = 3 };
enum tty_tcflsh { TTY_TCIFLUSH = 0, TTY_TCOFLUSH = 1, TTY_TCIOFLUSH = 2 };

/* modem lines of TIOCMGET */
#define TTY_TIOCM_DTR 0x002u
#define TTY_TIOCM_RTS 0x004u
#define TTY_TIOCM_CTS 0x020u
#define TTY_TIOCM_CAR 0x040u
#define TTY_TIOCM_DSR 0x100u

/* signals that a terminal makes */
#define TTY_SIGHUP   1
#define TTY_SIGINT   2
#define TTY_SIGQUIT  3
#define TTY_SIGTSTP  20
#define TTY_SIGWINCH 28
