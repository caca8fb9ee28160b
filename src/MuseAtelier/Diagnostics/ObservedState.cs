namespace MuseAtelier.Diagnostics;

/// <summary>The values of an atelier's observable instruments at one moment.</summary>
/// <param name="QueueLength">Requests that wait.</param>
/// <param name="BudgetBytes">The budget in bytes.</param>
/// <param name="HeldBytes">Bytes that the process holds; null if unknown.</param>
internal readonly record struct ObservedState(int QueueLength, long BudgetBytes, long? HeldBytes);
