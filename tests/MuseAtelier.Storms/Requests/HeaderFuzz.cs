using System.Globalization;

namespace MuseAtelier.Storms.Requests;

/// <summary>Damages headers, and the framing of a request.</summary>
internal static class HeaderFuzz
{
    private static readonly (string Name, string Value)[] Odd =
    [
        ("Content-Type", "text/plain"),
        ("Content-Type", "application/json; charset=utf-16"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Type", "multipart/form-data"),
        ("Content-Type", "multipart/form-data; boundary=" + "a"),
        ("Content-Type", "/"),
        ("Content-Type", ""),
        ("Content-Encoding", "gzip"),
        ("Accept", "text/html"),
        ("Accept", "*/*;q=x"),
        ("Accept-Encoding", "br;q=1.0, gzip;q=0.5, *;q=0"),
        ("Accept-Encoding", "identity;q=0"),
        ("Accept-Language", "zh-CN,zh;q=0.9"),
        ("Range", "bytes=0-"),
        ("Range", "bytes=5-1"),
        ("Range", "bytes=-99999999999999999999"),
        ("Range", "bytes=0-1,3-4,6-7"),
        ("If-None-Match", "\"x\""),
        ("If-None-Match", "*"),
        ("If-Match", "\""),
        ("If-Modified-Since", "yesterday"),
        ("If-Range", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Last-Event-ID", "99999999999999999999"),
        ("Authorization", "Basic"),
        ("Authorization", "Basic !!!!"),
        ("Authorization", "Basic Og=="),
        ("Authorization", "Bearer "),
        ("Authorization", "Digest x"),
        ("Cookie", "a=b; a=c; =; ;;"),
        ("Cookie", "muse=../../secret"),
        ("X-Forwarded-For", "10.0.0.1"),
        ("X-Forwarded-Host", "example.org"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Original-URL", "/secret.txt"),
        ("Connection", "close"),
        ("Connection", "keep-alive, X"),
        ("Upgrade", "h2c"),
        ("Upgrade", "websocket"),
        ("Transfer-Encoding", "identity"),
        ("Te", "trailers"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Referer", "http://example.org/"),
        ("X-A", "\u00ff\u00fe"),
    ];

    private static readonly (string Name, string Value)[] Foreign =
    [
        ("Origin", "http://example.org"),
        ("Origin", "null"),
        ("Origin", "https://127.0.0.1"),
        ("Origin", "http://127.0.0.1.example.org"),
        ("Host", "example.org"),
        ("Host", "example.org:80"),
    ];

    private static readonly string[] Lengths = ["-1", "1e3", "9223372036854775808", "0x10", " ", "1, 2", "99999999999"],
        Versions = ["HTTP/1.0", "HTTP/3.0", "HTTP/", "", "http/1.1"],
        BadNames = ["", " ", "A B", "A:", "\u0000", "A\r\n B"];

    /// <summary>Changes headers; the request stays proper HTTP.</summary>
    public static void Damage(Random random, RequestDraft draft)
    {
        int kind = random.Next(12);
        if (kind < 8)
        {
            (string name, string value) = Odd[random.Next(Odd.Length)];
            draft.Set(name, value);
            // Kestrel refuses other transfer encodings than "chunked" as it refuses what is no HTTP.
            draft.IsBroken |= name == "Transfer-Encoding" || value.Any(character => character > '~');
            draft.Damages.Add($"{name}: {value}");
        }
        else if (kind < 10)
        {
            (string name, string value) = Foreign[random.Next(Foreign.Length)];
            draft.Set(name, value);
            draft.IsForeign = true;
            draft.Damages.Add($"{name}: {value}");
        }
        else if (kind == 10)
        {
            for (int i = random.Next(1, 80); i > 0; i--)
                draft.Headers.Add((FormattableString.Invariant($"X-{i}"), "a"));
            draft.Damages.Add("many headers");
        }
        else
        {
            draft.Set("Cookie", "a=" + new string('a', random.Next(1_000, 20_000)));
            draft.Damages.Add("a long cookie");
        }
    }

    /// <summary>Makes it improper HTTP, or cuts it.</summary>
    public static void Break(Random random, RequestDraft draft)
    {
        draft.IsBroken = true;
        int kind = random.Next(14);
        draft.Damages.Add(FormattableString.Invariant($"broken, {kind}"));
        int length = draft.Body?.Length ?? 0;
        switch (kind)
        {
            case 0:
                draft.Length = (length + random.Next(1, 100_000)).ToString(CultureInfo.InvariantCulture);
                break;
            case 1:
                draft.Length = random.Next(0, length + 1).ToString(CultureInfo.InvariantCulture);
                break;
            case 2:
                draft.Length = Lengths[random.Next(Lengths.Length)];
                break;
            case 3:
                draft.Headers.Add(("Content-Length", "3"));
                break;
            case 4:
                draft.Length = "";
                draft.Headers.Add(("Transfer-Encoding", "chunked"));
                draft.Body = [.. "5\r\n{\"a\":\r\nFFFFFFFFFF\r\n"u8];
                break;
            case 5:
                draft.Headers.Add(("Transfer-Encoding", "chunked"));
                break;
            case 6:
                draft.Headers.RemoveAll(header => header.Name == "Host");
                break;
            case 7:
                draft.Headers.Add(("Host", "example.org"));
                break;
            case 8:
                draft.Version = Versions[random.Next(Versions.Length)];
                break;
            case 9:
                draft.LineEnd = "\n";
                break;
            case 10:
                draft.Headers.Add((BadNames[random.Next(BadNames.Length)], "x\u0000y"));
                break;
            case 11:
                draft.Headers.Add(("X-Long", new string('a', 70_000)));
                break;
            case 12:
                draft.Headers.Add(("Expect", "100-continue"));
                break;
            default:
                draft.IsCut = true;
                break;
        }
    }
}
