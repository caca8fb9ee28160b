using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MuseAtelier.Storms.Requests;

/// <summary>
/// A connection that sends bytes as they are. HttpClient would correct what it sends: it resolves dots in paths, and refuses what is no
/// proper HTTP.
/// </summary>
internal sealed class RawClient(int port) : IDisposable
{
    private const int MostBytes = 64 << 20;

    private readonly byte[] _buffer = new byte[64 << 10];
    private Socket? _socket;
    private int _at;
    private int _end;

    /// <summary>Sends a request and reads its answer.</summary>
    /// <param name="bytes">The request.</param>
    /// <param name="isLast">Whether nothing follows, so that the server must not wait for more.</param>
    /// <param name="method">The method, which decides whether the answer has a body.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The answer; null if the server closed the connection without one.</returns>
    public async Task<RawAnswer?> SendAsync(byte[] bytes, bool isLast, string method, CancellationToken cancellationToken)
    {
        bool isReused = _socket is not null;
        RawAnswer? answer = await TryAsync(bytes, isLast, method, cancellationToken);
        // The server may close a connection that it kept open just when the request is sent.
        if (answer is null && isReused && !isLast)
        {
            Close();
            answer = await TryAsync(bytes, isLast, method, cancellationToken);
        }

        if (answer is null || isLast || !answer.IsOpen)
            Close();
        return answer;
    }

    public void Dispose() => Close();

    private async Task<RawAnswer?> TryAsync(byte[] bytes, bool isLast, string method, CancellationToken cancellationToken)
    {
        try
        {
            Socket socket = await ConnectAsync(cancellationToken);
            Task sending = SendAllAsync(socket, bytes, isLast, cancellationToken);
            // A server that refuses a long body answers before it has read it.
            RawAnswer? answer = await ReadAsync(socket, method, cancellationToken);
            if (!sending.IsCompleted)
                Close();
            await sending;
            return answer;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            Close();
            return null;
        }
    }

    private static async Task SendAllAsync(Socket socket, byte[] bytes, bool isLast, CancellationToken cancellationToken)
    {
        try
        {
            for (int sent = 0; sent < bytes.Length;)
                sent += await socket.SendAsync(bytes.AsMemory(sent), cancellationToken);
            if (isLast)
                socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The server refused the rest; its answer says why.
        }
    }

    private async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        if (_socket is not null)
            return _socket;
        // Without lingering, twenty thousand connections leave no ports behind that wait to be used again.
        _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(enable: true, seconds: 0) };
        (_at, _end) = (0, 0);
        await _socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        return _socket;
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private async Task<RawAnswer?> ReadAsync(Socket socket, string method, CancellationToken cancellationToken)
    {
        while (true)
        {
            string? head = await ReadHeadAsync(socket, cancellationToken);
            if (head is null)
                return null;
            string[] line = head.Split(' ', 3);
            if (line.Length < 2 || !int.TryParse(line[1], NumberStyles.None, CultureInfo.InvariantCulture, out int status))
                return new RawAnswer(0, head, [], IsOpen: false);
            // 1xx announces the answer.
            if (status is >= 100 and < 200 and not 101)
                continue;
            bool isOpen = RawAnswer.Header(head, "Connection")?.Contains("close", StringComparison.OrdinalIgnoreCase) != true;
            if (method == "HEAD" || status is 101 or 204 or 304)
                return new RawAnswer(status, head, [], isOpen && status != 101);
            return await ReadBodyAsync(socket, head, status, isOpen, cancellationToken);
        }
    }

    private async Task<RawAnswer> ReadBodyAsync(Socket socket, string head, int status, bool isOpen, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        if (RawAnswer.Header(head, "Transfer-Encoding") == "chunked")
        {
            bool isStream = RawAnswer.Header(head, "Content-Type")?.StartsWith("text/event-stream", StringComparison.Ordinal) == true;
            while (true)
            {
                string? size = await ReadLineAsync(socket, cancellationToken);
                if (size is null)
                    return new RawAnswer(status, head, body.ToArray(), IsOpen: false);
                int length = int.Parse(size, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                await CopyAsync(socket, body, length, cancellationToken);
                await ReadLineAsync(socket, cancellationToken);
                if (length == 0)
                    return new RawAnswer(status, head, body.ToArray(), isOpen);
                // A stream of events has no end.
                if (isStream && body.ToArray().AsSpan().IndexOf("\n\n"u8) >= 0)
                    return new RawAnswer(status, head, body.ToArray(), IsOpen: false);
            }
        }

        string? given = RawAnswer.Header(head, "Content-Length");
        long bytes = given is null ? MostBytes : long.Parse(given, CultureInfo.InvariantCulture);
        await CopyAsync(socket, body, bytes, cancellationToken);
        return new RawAnswer(status, head, body.ToArray(), isOpen && given is not null && body.Length == bytes);
    }

    private async Task<string?> ReadHeadAsync(Socket socket, CancellationToken cancellationToken)
    {
        var head = new StringBuilder();
        while (await ReadLineAsync(socket, cancellationToken) is { } line)
        {
            if (line.Length == 0 && head.Length > 0)
                return head.ToString();
            head.Append(line).Append("\r\n");
        }

        return null;
    }

    private async Task<string?> ReadLineAsync(Socket socket, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (true)
        {
            if (_at == _end && !await FillAsync(socket, cancellationToken))
                return null;
            char character = (char)_buffer[_at++];
            if (character == '\n')
                return line.ToString().TrimEnd('\r');
            line.Append(character);
        }
    }

    private async Task CopyAsync(Socket socket, MemoryStream to, long length, CancellationToken cancellationToken)
    {
        while (length > 0 && (_at < _end || await FillAsync(socket, cancellationToken)))
        {
            int count = (int)Math.Min(length, _end - _at);
            to.Write(_buffer, _at, count);
            _at += count;
            length -= count;
        }
    }

    private async Task<bool> FillAsync(Socket socket, CancellationToken cancellationToken)
    {
        _at = 0;
        _end = await socket.ReceiveAsync(_buffer, cancellationToken);
        return _end > 0;
    }
}
