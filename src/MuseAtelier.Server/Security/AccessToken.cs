using System.Runtime.CompilerServices;
using System.Text;
using MuseAtelier.Format;

namespace MuseAtelier.Server.Security;

/// <summary>
/// The token of a server. It is compared by digests, in a time that says nothing about where a wrong one differs. The cookie has a value
/// of its own, which does not reveal the token.
/// </summary>
internal sealed class AccessToken
{
    private readonly string _digest;
    private readonly string _cookieDigest;

    /// <summary>Creates the token.</summary>
    /// <param name="text">The token as clients send it.</param>
    public AccessToken(string text)
    {
        _digest = Digest(text);
        CookieValue = Digest($"cookie of {text}");
        _cookieDigest = Digest(CookieValue);
    }

    /// <summary>The value of the cookie that stands for the token.</summary>
    public string CookieValue { get; }

    /// <summary>
    /// Draws a token of at least 256 bits, in letters, digits, '-' and '_'. The system's cryptographic generator makes the bits of GUIDs,
    /// which .NET gives without OpenSSL.
    /// </summary>
    public static string Draw()
    {
        byte[] drawn = [.. Enumerable.Range(0, 4).SelectMany(_ => Guid.NewGuid().ToByteArray())];
        return Convert.ToBase64String(Convert.FromHexString(Sha256.Hash(drawn))).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    /// <summary>Whether a text is the token.</summary>
    public bool Is(string text) => AreEqual(Digest(text), _digest);

    /// <summary>Whether a text is the value of the cookie.</summary>
    public bool IsCookie(string text) => AreEqual(Digest(text), _cookieDigest);

    private static string Digest(string text) => Sha256.Hash(Encoding.UTF8.GetBytes(text));

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static bool AreEqual(string first, string second)
    {
        int difference = first.Length ^ second.Length;
        for (int i = 0; i < Math.Min(first.Length, second.Length); i++) difference |= first[i] ^ second[i];
        return difference == 0;
    }
}
