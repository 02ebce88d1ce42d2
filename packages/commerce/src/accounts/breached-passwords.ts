/**
 * The passwords of eight characters and more that lead every public list of breached ones. Kept small on purpose: the
 * first guesses of an online attack, which the rate limit lets through.
 */
const BREACHED = new Set(
  `12345678 123456789 1234567890 password password1 password12 password123 passw0rd p@ssw0rd p@ssword qwerty123
qwertyui qwertyuiop 1q2w3e4r 1q2w3e4r5t 1qaz2wsx qazwsxedc 11111111 00000000 88888888 87654321 987654321 123123123
12341234 11223344 112233445566 iloveyou iloveyou1 sunshine sunshine1 princess princess1 football football1 baseball
baseball1 basketball superman superman1 batman123 starwars trustno1 welcome1 welcome123 letmein1 letmein123 admin123
administrator changeme changeme123 michelle jennifer jordan23 computer internet whatever corvette mercedes maverick
elephant dolphin1 asdfghjkl asdf1234 abcd1234 abc12345 abcdefgh abcdef123 a1b2c3d4 aa123456 qwer1234 zxcvbnm1 zxcvbnm123
monkey123 dragon123 master123 shadow123 michael1 charlie1 samantha victoria alexander liverpool chelsea1 arsenal1
november december september passport testtest test1234 guest123 google123 facebook facebook1 pokemon1 naruto123
blink182 metallica nirvana1 slipknot killer123 fuckyou1 q1w2e3r4 q1w2e3r4t5 1234qwer 123qweasd 123qwe123 147258369
159357456 741852963 789456123 999999999 123454321 1234554321 0987654321 showfloor showfloor1`.split(/\s+/),
);

/** True for a password that anyone would try first, whatever its case. */
export function isBreached(password: string): boolean {
  return BREACHED.has(password.toLowerCase());
}
