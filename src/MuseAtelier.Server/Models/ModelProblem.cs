namespace MuseAtelier.Server.Models;

/// <summary>Says why a model cannot be opened.</summary>
internal static class ModelProblem
{
    /// <summary>The kind of a model that cannot be used.</summary>
    public const string BadModel = "bad-model";

    /// <summary>The problem of a failed opening.</summary>
    public static Problem Of(Exception exception) => exception switch
    {
        BudgetTooSmallException => new Problem { Kind = "budget-too-small", Message = Sentence(exception.Message) },
        MuseAtelierException => new Problem { Kind = BadModel, Message = Sentence(exception.Message) },
        _ => new Problem
        {
            Kind = BadModel,
            Message = "The model could not be opened; expected one that this machine can open. The server's log states the cause.",
        },
    };

    private static string Sentence(string message) =>
        message.Length > 0 && char.IsLower(message[0]) ? char.ToUpperInvariant(message[0]) + message[1..] : message;
}
