namespace MuseAtelier.Server;

/// <summary>A request that the server refuses or could not fulfil, with the status of the answer.</summary>
internal sealed class ServerRequestException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="status">The status of the answer, 400 to 599.</param>
    /// <param name="problem">What the client is told.</param>
    /// <param name="inner">The cause.</param>
    public ServerRequestException(int status, Problem problem, Exception? inner = null)
        : base(problem.Message, inner)
    {
        Status = status;
        Problem = problem;
    }

    /// <summary>The status of the answer.</summary>
    public int Status { get; }

    /// <summary>What the client is told.</summary>
    public Problem Problem { get; }
}
